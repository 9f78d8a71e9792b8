import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Verdict } from '../../harness/verdict/decide.ts'
import type { TrialResult } from '../../harness/verdict/verdict.ts'
import { type Format, formats, reporterFor } from './index.ts'
import { replay } from './reporter.ts'
import { timelineLines } from './timeline.ts'

/** What a name, label or message can hold that a terminal, a runner, an XML parser or a Markdown renderer obeys. */
const HOSTILE = [
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31m',
  '\u0000',
  '\r',
  '\u0008\u007f',
  '\u202egnp.exe',
  '\u2028',
  '\ud800',
  '\uffff',
  ']]></failure><x a="b" c=\'d\'>&amp;',
  '\n::error file=a.ts,line=1::owned%0A',
  '\n  ::add-mask::owned',
  '##[group]owned',
  '\n ✓ every-scenario PASS',
  '`|` | a | ```js\n![x](http://evil.example/a.png) <img src=x> [a](javascript:b) @team',
].join(' ')

const position = { file: `a${HOSTILE}.yaml`, line: 3, column: 4 }

const verdict = (outcome: Verdict['outcome'], more: Partial<Verdict>): Verdict => ({
  ...{ scenario: 'drain-with-pdb', subject: `default/chat${HOSTILE}`, outcome, trials: [], invalid: [] },
  ...more,
})

const finding: Verdict['finding'] = {
  cause: 'x',
  what: HOSTILE,
  at: '2m04s',
  evidence: [{ at: 1, about: HOSTILE, text: HOSTILE }],
  source: { ...position, path: 'spec', says: HOSTILE, via: HOSTILE },
  fix: {
    says: HOSTILE,
    outcome: 'PASS',
    adds: [{ file: 'add.yaml', text: `a: b\n::error::owned ${HOSTILE}\n` }],
  } as never,
  triedInVain: [HOSTILE],
  replay: `npx seatrial run ${HOSTILE}`,
}

const run = {
  overview: {
    ...{ version: '0.1.0', name: HOSTILE, tier: 'sim', seeds: [1], servers: [HOSTILE, 'b'], nodes: HOSTILE },
    ...{
      scenarios: ['drain-with-pdb'],
      assumed: [{ name: HOSTILE, value: HOSTILE, howToGive: HOSTILE }],
      notes: [HOSTILE],
    },
  },
  verdicts: [
    verdict('FAIL', { finding }),
    verdict('WAIVED', {
      finding,
      waiver: { scenario: 'x', reason: HOSTILE, owner: HOSTILE, expires: '2030-01-01', outcome: 'FAIL' } as never,
    }),
    verdict('INVALID', { invalid: [{ code: 'UNMODELLED', what: HOSTILE, fix: HOSTILE }] }),
    verdict('SKIPPED', { skipped: HOSTILE }),
    verdict('UNSTABLE', { trials: [{ seed: 1, outcome: 'PASS', simulatedUs: 1 } as TrialResult] }),
  ].map((one) => ({ verdict: one, tookMs: 1 })),
  waivers: [{ what: HOSTILE, fix: HOSTILE, at: position }] as never,
  totals: { passed: 0, failed: 1, invalid: 1, skipped: 1, unstable: 1, waived: 1, tookMs: 5 },
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seatrial-'))
  vi.stubEnv('GITHUB_STEP_SUMMARY', join(folder, 'summary.md'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

async function written(format: Format): Promise<string> {
  const chunks: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => chunks.push(String(text)) > 0)
  replay(run as never, await reporterFor(format, { quiet: false }))
  write.mockRestore()
  return chunks.join('')
}

/** Controls but the new line, C1, marks that reorder or hide, half surrogates. */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/u

describe.each(formats)('%s', (format) => {
  it('writes nothing a terminal obeys, and no workflow command of a text', async () => {
    const text = await written(format)
    expect(text).not.toMatch(OBEYED)
    expect(text).not.toContain('##[')
    const commands = text.split('\n').filter((line) => line.trimStart().startsWith('::'))
    expect(commands.filter((line) => !/^::(error|warning|notice) [^:]*title=[^:]*::/.test(line))).toEqual([])
    expect(commands.length > 0).toBe(format === 'github')
  })
})

it('JSON says what was given, to the last character', async () => {
  const { verdicts, name } = JSON.parse(await written('json'))
  expect(name).toBe(HOSTILE)
  expect(verdicts).toEqual(run.verdicts.map((one) => one.verdict))
})

it('JUnit stays XML with the elements it has', async () => {
  const text = await written('junit')
  // XML 1.0, production 2
  expect(text).not.toMatch(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u)
  const outside = text.replaceAll(/<(\/?[a-z]+)( [a-z]+="[^"<]*")*\/?>|<\?xml[^>]*\?>/g, '')
  expect(outside).not.toMatch(/[<>]/)
  const elements = [...text.matchAll(/<([a-z]+)/g)].map(([, name]) => name)
  expect(new Set(elements)).toEqual(new Set(['testsuites', 'testsuite', 'testcase', 'failure', 'skipped', 'error']))
  expect(elements.filter((name) => name === 'testcase')).toHaveLength(run.verdicts.length)
})

it('the step summary is one table whose cells hold text', async () => {
  await written('github')
  const summary = readFileSync(join(folder, 'summary.md'), 'utf8')
  expect(summary).not.toMatch(OBEYED)
  const rows = summary.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| |'))
  expect(rows).toHaveLength(run.verdicts.length)
  for (const row of rows) {
    const bars = row.replaceAll(/\\./g, '').match(/\|/g)
    expect(bars, row).toHaveLength(5)
    const outsideCode = row.replaceAll(/(`+)(?!`).*?[^`]\1(?!`)/g, '').replaceAll(/\\./g, '')
    expect(outsideCode).not.toMatch(/[<[\]@]/)
  }
  expect(summary).not.toMatch(/^::/m)
})

it('the lines of one trial hold nothing a terminal obeys', () => {
  const records = [
    {
      type: 'event',
      at: 1,
      by: HOSTILE,
      level: 'Warning',
      reason: HOSTILE,
      kind: 'Pod',
      key: HOSTILE,
      message: HOSTILE,
    },
    { type: 'fault', at: 2, fault: HOSTILE, step: 'inject', target: HOSTILE, detail: HOSTILE },
    { type: 'log', at: 3, pod: HOSTILE, container: 'x', line: `ERROR ${HOSTILE}` },
  ] as const
  const text = timelineLines(records as never, { around: 1, subject: 'x' }).join('\n')
  expect(text).toContain('owned')
  expect(text).not.toMatch(OBEYED)
  expect(text.split('\n').filter((line) => line.trimStart().startsWith('::'))).toEqual([])
})
