import {
  type Comparison,
  type Difference,
  type Side,
  type StreamSummary,
  unexplained,
} from '../../harness/parity/comparison.ts'
import { formatDuration, toSeconds, type Us } from '../../sandbox/world/time.ts'
import { plural } from '../plural.ts'
import { marks, style } from '../style.ts'
import { shown } from './shown.ts'

/** Differences listed of one trial; the others are counted. */
const LISTED = 12

/** What came of one trial on two tiers: the verdicts, a table of decisions, what differs. */
export function comparisonLines(given: Comparison): string[] {
  const comparison = shown(given)
  const { scenario, sample, sides, verdict, streams, differences } = comparison
  const [a, b] = sides
  const mark = { same: style.green(marks.pass), differs: style.red(marks.fail), undecided: style.yellow(marks.unsure) }[
    verdict
  ]
  const verdicts =
    verdict === 'same' ? `${verdictText(a)} on both` : `${a.tier} ${verdictText(a)} · ${b.tier} ${verdictText(b)}`
  return [
    ` ${mark} ${style.bold(scenario)}  ${sample}   ${verdicts}   ${style.dim(`${a.tier} ${formatDuration(a.lastedUs)}, ${b.tier} ${formatDuration(b.lastedUs)}`)}`,
    ...tableLines(streams, sides),
    ...differenceLines(differences, sides),
    '',
  ]
}

/** How many verdicts and decisions were the same in all. */
export function totalLines(all: readonly Comparison[], failed: number): string[] {
  const count = (verdict: Comparison['verdict']) => all.filter((one) => one.verdict === verdict).length
  const sum = (of: (summary: StreamSummary) => number) =>
    all.flatMap(({ streams }) => streams).reduce((total, summary) => total + of(summary), 0)
  const open = all.reduce((total, { differences }) => total + unexplained(differences).length, 0)
  return [
    `${style.bold(`verdicts: ${count('same')} same · ${count('differs')} differ · ${count('undecided')} undecided`)}${failed > 0 ? ` · ${failed} failed` : ''}`,
    `decisions: ${sum(({ both }) => both)} on both, ${sum(({ onlyA, onlyB }) => onlyA + onlyB)} on one side alone, ${sum(({ late }) => late)} further apart than their period; ${plural(open, 'difference')} unexplained`,
  ]
}

const verdictText = ({ outcome, causes, invalid, skipped }: Side): string =>
  [outcome, outcome === 'FAIL' ? causes[0] : (skipped ?? invalid[0])].filter(Boolean).join(' ')

function tableLines(streams: readonly StreamSummary[], [a, b]: readonly [Side, Side]): string[] {
  const rows = streams.filter(({ both, onlyA, onlyB }) => both + onlyA + onlyB > 0)
  if (rows.length === 0) return []
  const width = 2 + Math.max(10, ...[a, b].map(({ tier }) => `only ${tier}`.length))
  const only = (side: Side) => `only ${side.tier}`.padStart(width)
  const head = `     ${'decisions'.padEnd(12)}${'both'.padStart(6)}${only(a)}${only(b)}${'median'.padStart(11)}${'p95'.padStart(11)}${'max'.padStart(11)}`
  return [
    style.dim(head),
    ...rows.map(({ stream, both, onlyA, onlyB, offsets }) => {
      const { medianUs, p95Us, maxUs } = offsets ?? {}
      const cells = [medianUs, p95Us, maxUs].map((us) => offsetText(us).padStart(11)).join('')
      return `     ${stream.padEnd(12)}${`${both}`.padStart(6)}${`${onlyA}`.padStart(width)}${`${onlyB}`.padStart(width)}${cells}`
    }),
  ]
}

/** With its sign, in seconds: `+0.012 s`. */
const offsetText = (us: Us | undefined): string =>
  us === undefined ? '' : `${us < 0 ? '-' : '+'}${toSeconds(Math.abs(us)).toFixed(3)} s`

function differenceLines(differences: readonly Difference[], sides: readonly [Side, Side]): string[] {
  const open = unexplained(differences)
  const ordered = [...open, ...differences.filter(({ because }) => because)]
  const more = ordered.length - LISTED
  return [
    ...ordered.slice(0, LISTED).map((one) => `     ${differenceText(one, sides)}`),
    ...(more > 0 ? [style.dim(`     … ${more} more; --output json has all`)] : []),
  ]
}

function differenceText(
  { sort, stream, what, times, phase, intoUs, offsetUs, period, because }: Difference,
  [a, b]: readonly [Side, Side],
): string {
  const when = `${phase}+${formatDuration(intoUs)}`
  const how =
    sort === 'late'
      ? `${offsetText(offsetUs)} apart (${period!.name} ${formatDuration(period!.us)})`
      : `${sort === 'only-a' ? a.tier : b.tier} alone${times > 1 ? `, ${times} times` : ''}`
  const why = because ? style.dim(`${because.sort}: ${because.text}`) : style.yellow('unexplained')
  return `${stream} ${when} «${shortened(what)}» ${how}: ${why}`
}

const LONGEST = 120
const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text)
