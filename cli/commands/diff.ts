import { diffRuns, type RunDiff } from '../../harness/runs/diff.ts'
import type { Run } from '../../harness/runs/run.ts'
import { RunStore } from '../../harness/runs/store.ts'
import { exitCodes } from '../exit-codes.ts'
import { jsonText } from '../reporters/json-text.ts'
import { shown } from '../reporters/shown.ts'
import { marks, style } from '../style.ts'

interface Options {
  output: 'terminal' | 'json'
  json?: boolean
}

/** Compares two kept runs. Exit code 1 when something got worse. */
export async function diff(before: string, after: string, options: Options): Promise<number> {
  const store = new RunStore(process.cwd())
  const [a, b] = [store.load(before), store.load(after)]
  const found = diffRuns(a, b)
  const text =
    options.json || options.output === 'json' ? jsonText(found) : diffLines(shown(found), shown(a), shown(b)).join('\n')
  process.stdout.write(`${text}\n`)
  return found.worse ? exitCodes.fail : exitCodes.pass
}

export function diffLines(
  { verdicts, findings, fixes, margins, inputs, manifests, worse }: RunDiff,
  a: Run,
  b: Run,
): string[] {
  const lines = [`${style.bold('before')} ${titleOf(a)}`, `${style.bold('after')}  ${titleOf(b)}`]
  const section = (title: string, rows: readonly string[]) => {
    if (rows.length > 0) lines.push('', style.bold(title), ...rows)
  }
  section(
    'verdicts',
    verdicts.map(
      ({ change, scenario, subject, before, after }) =>
        ` ${markOf(change)} ${scenario} on ${shortName(subject)}: ${before ?? 'not tried'} → ${after ?? 'not tried'}`,
    ),
  )
  section(
    'findings',
    findings.flatMap(({ change, scenario, subject, what, at }) => [
      ` ${change === 'new' ? style.red(`${marks.fail} new`) : style.green(`${marks.pass} fixed`)}  ${scenario} on ${shortName(subject)}`,
      `     ${what}`,
      ...(at ? [`     ${style.cyan(at)}`] : []),
    ]),
  )
  section(
    'fixes',
    fixes.map(
      ({ scenario, subject, before, after }) =>
        `   ${scenario} on ${shortName(subject)}: ${before ?? 'none known'} → ${after ?? 'none known'}`,
    ),
  )
  section(
    'margins',
    margins.map(
      ({ change, scenario, subject, input, before, after }) =>
        ` ${markOf(change)} ${scenario} on ${shortName(subject)}: held up to ${factor(before)} the ${words(input)}, now ${factor(after)}`,
    ),
  )
  section(
    'inputs',
    inputs.map(({ name, before, after }) => `   ${name}: ${before ?? 'none'} → ${after ?? 'none'}`),
  )
  section(
    'manifests',
    manifests.map(({ file, change }) => `   ${change.padEnd(7)} ${file}`),
  )
  const same = verdicts.length + findings.length + margins.length === 0
  lines.push('', style.bold(worse ? 'worse' : same ? 'no verdict, finding or margin changed' : 'nothing got worse'))
  return lines
}

const titleOf = ({ id, createdAt, overview }: Run): string =>
  `${id}  ${createdAt.slice(0, 19).replace('T', ' ')}  ${overview.name}, ${overview.scenarios.length} scenarios, seeds ${overview.seeds[0]}–${overview.seeds.at(-1)}`

const markOf = (change: 'worse' | 'better' | 'added' | 'removed'): string =>
  change === 'worse' ? style.red(marks.fail) : change === 'better' ? style.green(marks.pass) : style.dim(marks.none)

const factor = (times: number): string => `${Number(times.toFixed(2))}×`
const words = (input: string): string => input.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)
const shortName = (key: string): string => key.replace(/^default\//, '')
