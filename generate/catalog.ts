import { readdirSync, readFileSync } from 'node:fs'
import { entryText, expectationText } from '../harness/describe.ts'
import { withParameters } from '../harness/parameters.ts'
import type { Scenario } from '../harness/scenario.ts'
import { scenarios } from '../scenarios/index.ts'
import { NOTE, type Output, ROOT } from './outputs.ts'

/** `scenarios/CATALOG.md`: all scenarios in one table. */
export function catalog(): Output {
  const lines = [
    `<!-- ${NOTE} -->`,
    '# Scenarios',
    '',
    'What is tried, what must hold, and the sample platforms that show it: `good` ones pass, `bad` ones fail, `decoy` ones look bad and pass.',
    'Each scenario’s page is its runbook.',
    '',
    '| scenario | what goes wrong | decided by | what happens | must hold | sample platforms |',
    '|---|---|---|---|---|---|',
    ...scenarios.map((scenario) => `| ${row(withParameters(scenario)).join(' | ')} |`),
  ]
  return { path: 'scenarios/CATALOG.md', text: `${lines.join('\n')}\n` }
}

function row(scenario: Scenario): string[] {
  const { slug, title, decidedBy, timeline, load, during, after } = scenario
  const happens = [
    `${scenario.withoutProbes ? 'the manifests are applied without startup and liveness probes' : 'the manifests are applied'}`,
    ...timeline.map(entryText),
    ...(load ? ['requests from the time it has settled'] : []),
  ]
  return [
    `[${slug}](${slug}/README.md)`,
    title,
    decidedBy,
    happens.join('<br>'),
    [...during, ...after].map(expectationText).join('<br>'),
    samplesOf(slug).join('<br>'),
  ].map((cell) => cell.replaceAll('|', '\\|'))
}

interface Expected {
  readonly outcome: string
  readonly cause?: string
  readonly breaksAbove?: string
}

/** `[bad/surge-without-room](…) FAIL rollout-pod-does-not-fit`. */
function samplesOf(slug: string): string[] {
  const expected = JSON.parse(readFileSync(new URL(`scenarios/${slug}/expected.json`, ROOT), 'utf8')) as Record<
    string,
    Expected
  >
  const folders = ['good', 'bad', 'decoy'].flatMap((sort) =>
    readdirSync(new URL(`scenarios/${slug}/${sort}/`, ROOT))
      .sort()
      .map((name) => `${sort}/${name}`),
  )
  return folders.map((folder) => {
    const { outcome = 'expected.json does not say', cause, breaksAbove } = expected[folder] ?? {}
    const why = cause ? ` ${cause}` : breaksAbove ? `, breaks above ${breaksAbove} of loading` : ''
    return `[${folder}](${slug}/${folder}) ${outcome}${why}`
  })
}
