import type { Percentiles } from '../../harness/load/results/percentiles.ts'
import type { LoadSummary } from '../../harness/load/results/summary.ts'
import { latencyText } from '../../harness/slo/evidence.ts'
import { LATENCY_NAMES, objectiveText, percent } from '../../harness/slo/objective.ts'
import type { WholeJudgement } from '../../harness/slo/whole.ts'
import { formatDuration, type Us } from '../../sandbox/world/time.ts'
import type { LoadResult } from '../load-test/result.ts'
import { marks, style } from '../style.ts'

/** What a load came to, for people. */
export function loadTestLines(result: LoadResult): string[] {
  const { summary, verdict } = result
  return [
    ...headLines(result),
    '',
    ...tableLines(summary),
    '',
    ...countLines(result),
    ...(verdict.objectives.length > 0 ? ['', ...verdict.objectives.map(objectiveLine)] : []),
    '',
    ...verdictLines(result),
  ]
}

function headLines({
  url,
  model,
  workload,
  seed,
  sender,
  durationUs,
  warmUpUs,
  summary,
  interruptedAt,
}: LoadResult): string[] {
  const warm = warmUpUs > 0 ? ` after ${formatDuration(warmUpUs)} of warm-up` : ''
  const cut = interruptedAt === undefined ? '' : style.yellow(' (interrupted)')
  return [
    `${style.bold(model)} at ${url} · ${workload} · ${formatDuration(durationUs)}${warm}${cut} · seed ${seed} · sender ${sender}`,
    `${summary.planned} requests · ${summary.intendedPerSecond.toFixed(2)}/s intended, ${summary.sentPerSecond.toFixed(2)}/s sent`,
  ]
}

const COLUMNS = ['mean', 'p50', 'p90', 'p95', 'p99', 'max'] as const

function tableLines({ ttft, tpot, itl, e2e, delay }: LoadSummary): string[] {
  const rows: [string, Percentiles | undefined][] = [
    [LATENCY_NAMES.ttft, ttft],
    [LATENCY_NAMES.tpot, tpot],
    ['ITL', itl],
    [LATENCY_NAMES.e2e, e2e],
    ['schedule delay', delay],
  ]
  const cell = (text: string) => text.padStart(9)
  return [
    style.dim(`${'from the intended send time'.padEnd(28)}${COLUMNS.map(cell).join('')}`),
    ...rows.map(([name, p]) => {
      if (!p) return `  ${name.padEnd(26)}${style.dim(cell('none'))}`
      const values: Us[] = [p.meanUs, p.p50Us, p.p90Us, p.p95Us, p.p99Us, p.maxUs]
      return `  ${name.padEnd(26)}${values.map((us) => cell(latencyText(us))).join('')}`
    }),
  ]
}

function countLines({ summary, prompts, prefixCacheHits }: LoadResult): string[] {
  const { ended, tokens, goodput } = summary
  const counts = Object.entries(ended).map(([name, count]) => `${count} ${name}`)
  const { got, asked, gotPrompt, plannedOfGot, gotPerSecond } = tokens
  const off = plannedOfGot === 0 ? 0 : gotPrompt / plannedOfGot - 1
  const lengths = plannedOfGot === 0 ? 'not told by the server' : `${gotPrompt} of ${plannedOfGot} planned`
  const how = prompts.source === 'estimate' ? ' (estimated: the server counts for nobody)' : ''
  const { measured, expected } = prefixCacheHits
  const share = (of: number | undefined) => (of === undefined ? 'unknown' : percent(of))
  return [
    `requests      ${counts.join(' · ') || 'none'}`,
    `tokens        answers ${got}${asked > 0 ? ` of ${asked} asked` : ''} (${gotPerSecond.toFixed(1)}/s) · prompts ${Math.abs(off) > OFF ? style.yellow(lengths) : lengths}${how}`,
    ...(measured === undefined && !expected
      ? []
      : [`prefix cache  ${share(measured)} of prompt tokens found · ${share(expected)} by the schedule`]),
    ...(goodput
      ? [
          `goodput       ${goodput.perSecond.toFixed(2)}/s · ${percent(goodput.share)} of all requests within ${limitsText(goodput.limits)}`,
        ]
      : []),
  ]
}

/** Prompts that are so much longer or shorter than planned are pointed at. */
const OFF = 0.05

const limitsText = (limits: object): string =>
  Object.entries(limits as Record<'ttft' | 'tpot' | 'e2e', Us>)
    .map(([kind, us]) => `${LATENCY_NAMES[kind as 'ttft']} ${latencyText(us)}`)
    .join(', ')

function objectiveLine({ objective, judged, good, verdict, valueUs }: WholeJudgement): string {
  const mark = { held: style.green(marks.pass), broken: style.red(marks.fail), 'too-few': style.yellow(marks.unsure) }[
    verdict
  ]
  const was =
    'percentile' in objective
      ? judged === 0
        ? 'no request says'
        : `was ${valueUs === undefined ? 'without an answer' : latencyText(valueUs)}, ${judged - good} of ${judged} over it`
      : `was ${judged === 0 ? 'unknown' : percent(good / judged)}, ${good} of ${judged}`
  return ` ${mark} ${objectiveText(objective).padEnd(28)} ${was}${verdict === 'too-few' ? ' (too few to say)' : ''}`
}

function verdictLines({ verdict: { outcome, doubts, objectives } }: LoadResult): string[] {
  const broken = objectives.filter(({ verdict }) => verdict === 'broken').length
  if (outcome === 'PASS') return [style.green('PASS')]
  if (outcome === 'FAIL') return [`${style.red('FAIL')}  ${broken} of ${objectives.length} SLOs broken`]
  return doubts.flatMap(({ code, what, fix }) => [
    `${style.yellow('INVALID')}  ${code}: ${what}`,
    style.dim(`    ${fix}`),
  ])
}
