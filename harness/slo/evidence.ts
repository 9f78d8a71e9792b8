import type { RequestRecord } from '../../sandbox/journal/record.ts'
import { formatDuration, type Us } from '../../sandbox/world/time.ts'
import type { Evidence } from '../expectations/check.ts'
import type { Judgement } from './attainment.ts'
import { gradeOf, latencyOf } from './grade.ts'
import { LATENCY_NAMES, type Objective, objectiveText, percent } from './objective.ts'

/** What a window came to: `TTFT p95 was 4.2s from 3m00s to 4m00s (31 of 180 requests over 2s)`. */
export function windowText(
  objective: Objective,
  { window, share }: Judgement,
  records: readonly RequestRecord[],
): string {
  const when = `from ${formatDuration(window.fromUs)} to ${formatDuration(window.untilUs)}`
  const bad = window.judged - window.good
  if (!('percentile' in objective)) {
    const rate = (window.good / ((window.untilUs - window.fromUs) / 1e6)).toFixed(2)
    const counts =
      objective.kind === 'goodput' ? `${rate} good requests a second` : `${bad} of ${window.judged} requests unanswered`
    return `${objective.kind} was ${percent(share)} ${when} (${counts})`
  }
  const value = percentileIn(objective, records)
  const was = value === undefined ? 'without an answer' : `was ${latencyText(value)}`
  return `${LATENCY_NAMES[objective.kind]} p${objective.percentile} ${was} ${when} (${bad} of ${window.judged} requests over ${latencyText(objective.limitUs)})`
}

/** The requests of a window that show it best: the slowest, and those never answered. */
export function windowEvidence(
  objective: Objective,
  judgement: Judgement,
  records: readonly RequestRecord[],
): Evidence[] {
  const bad = records.filter((record) => gradeOf(record, objective) === false)
  const slowest =
    'percentile' in objective ? [...bad].sort((a, b) => slowness(b, objective) - slowness(a, objective)) : bad
  return [
    {
      at: judgement.window.untilUs,
      about: objectiveText(objective),
      text: `${judgement.window.judged} requests judged, ${judgement.window.good} good: ${percent(judgement.share)}`,
    },
    ...slowest.slice(0, 3).map((record) => ({
      at: record.at,
      about: `request ${record.id}${record.tenant ? ` of ${record.tenant}` : ''}${record.pod ? ` on ${record.pod}` : ''}`,
      text: requestText(record),
    })),
  ]
}

/** Those of the records that were meant to be sent in the window. */
export const recordsIn = (records: readonly RequestRecord[], { window }: Judgement): RequestRecord[] =>
  records.filter(({ intendedAt }) => intendedAt >= window.fromUs && intendedAt < window.untilUs)

type LatencyObjective = Extract<Objective, { percentile: number }>

/** By nearest rank over those that say something; undefined where the rank falls on one without an answer. */
function percentileIn(objective: LatencyObjective, records: readonly RequestRecord[]): Us | undefined {
  const values = records
    .filter((record) => gradeOf(record, objective) !== undefined)
    .map((record) => slowness(record, objective))
    .sort((a, b) => a - b)
  const value =
    values[Math.max(0, Math.ceil(Number(((objective.percentile / 100) * values.length).toPrecision(12))) - 1)]
  return value === undefined || !Number.isFinite(value) ? undefined : value
}

const slowness = (record: RequestRecord, { kind }: LatencyObjective): number =>
  latencyOf(record, kind) ?? Number.POSITIVE_INFINITY

function requestText(record: RequestRecord): string {
  const parts = (['ttft', 'tpot', 'e2e'] as const).flatMap((latency) => {
    const value = latencyOf(record, latency)
    return value === undefined ? [] : [`${LATENCY_NAMES[latency]} ${latencyText(value)}`]
  })
  const ended =
    record.outcome === 'ok'
      ? []
      : [
          `${record.outcome}${record.status ? ` ${record.status}` : ''} after ${formatDuration(record.at - record.intendedAt)}`,
        ]
  return [...ended, ...parts].join(', ')
}

/** Latencies below ten seconds keep their digits. */
export const latencyText = (us: Us): string =>
  us < 10e3 ? `${(us / 1e3).toFixed(1)}ms` : us >= 1e6 && us < 10e6 ? `${(us / 1e6).toFixed(2)}s` : formatDuration(us)
