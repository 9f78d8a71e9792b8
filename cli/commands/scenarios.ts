import { entryText, expectationText } from '../../harness/describe.ts'
import { withParameters } from '../../harness/parameters.ts'
import type { Scenario } from '../../harness/scenario.ts'
import { scenarios as all } from '../../scenarios/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { selectScenarios } from '../select.ts'
import { style } from '../style.ts'

interface Options {
  describe?: boolean
  output?: 'wide' | 'json' | 'name'
  json?: boolean
}

/** Lists what can be tried. */
export async function scenarios(names: readonly string[], options: Options): Promise<number> {
  const chosen = selectScenarios(all, names)
  if (options.json || options.output === 'json')
    process.stdout.write(`${JSON.stringify({ schemaVersion: 1, scenarios: chosen }, null, 2)}\n`)
  else if (options.output === 'name') for (const { slug } of chosen) process.stdout.write(`${slug}\n`)
  else if (options.describe) for (const scenario of chosen) process.stdout.write(`${describe(scenario)}\n`)
  else {
    const width = Math.max(...chosen.map((s) => s.slug.length))
    for (const { slug, title } of chosen) process.stdout.write(`${style.bold(slug.padEnd(width))}  ${title}\n`)
    process.stderr.write(style.dim('\nseatrial scenarios --describe NAME shows timeline and expectations\n'))
  }
  return exitCodes.pass
}

function describe(named: Scenario): string {
  const scenario = withParameters(named)
  const { slug, title, timeline, during, after, margin, decidedBy } = scenario
  const lines = [
    style.bold(slug),
    `  ${title}`,
    `  decided by the ${decidedBy === 'drill' ? 'people at the drill' : `${decidedBy}`}`,
    '  timeline',
  ]
  lines.push(
    `    the manifests are applied${scenario.withoutProbes ? ', without startup and liveness probes' : ''}, the platform settles`,
  )
  for (const entry of timeline) lines.push(`    ${entryText(entry)}`)
  lines.push('  must hold')
  for (const expectation of [...during, ...after]) lines.push(`    ${expectationText(expectation)}`)
  const parameters = Object.entries(named.parameters ?? {})
  if (parameters.length > 0) lines.push(`  parameters (scenarios: { ${slug}: { … } } in seatrial.yaml)`)
  for (const [name, { default: usual, what }] of parameters) lines.push(`    ${name}: ${usual}  ${what}`)
  if (margin) lines.push(`  margin: ${margin.input} × ${margin.probe.join(', × ')} and the point where it breaks`)
  return `${lines.join('\n')}\n`
}
