import type { RequestRecord } from '../../../sandbox/journal/record.ts'
import { toSeconds, type Us } from '../../../sandbox/world/time.ts'
import { gradeOf, latencyOf } from '../../slo/grade.ts'
import type { LatencyLimits } from '../../slo/objective.ts'
import type { LoadRecord } from '../http/sender.ts'
import { Distribution, type Percentiles, percentilesOf } from './percentiles.ts'

/** What the requests of a stretch of time came to. Latencies count from the intended send time, over those that have them. */
export interface LoadSummary {
  /** Meant to be sent in the window. */
  readonly planned: number
  /** How they ended, by name; only what happened. */
  readonly ended: Readonly<Record<string, number>>
  /** Planned requests a second, and those that left in their window. */
  readonly intendedPerSecond: number
  readonly sentPerSecond: number
  /** From when a request was meant to leave to when it did. */
  readonly delay: Percentiles | undefined
  readonly ttft: Percentiles | undefined
  readonly tpot: Percentiles | undefined
  /** Between pieces of answers, which may hold several tokens. */
  readonly itl: Percentiles | undefined
  readonly e2e: Percentiles | undefined
  readonly tokens: TokenCounts
  /** Answered whole and within every limit; undefined without limits. */
  readonly goodput: { readonly share: number; readonly perSecond: number; readonly limits: LatencyLimits } | undefined
}

/** Of prompts where the server says, of answers all that came. */
export interface TokenCounts {
  readonly plannedPrompt: number
  readonly gotPrompt: number
  /** Planned for those of which the server said what it got. */
  readonly plannedOfGot: number
  readonly cached: number | undefined
  readonly asked: number
  readonly got: number
  readonly gotPerSecond: number
}

/** A stretch of a load by intended send times. */
export interface LoadWindow {
  readonly fromUs: Us
  readonly untilUs: Us
}

/**
 * Works on the records of every sender; those of a simulated one have no delay and no gaps. `slackUs`: how much later than the window's end a
 * request may leave that still counts as sent in it. `gaps`: those of the window's answers, where the records do not hold them.
 */
export function summarise(
  records: readonly (RequestRecord | LoadRecord)[],
  { fromUs, untilUs }: LoadWindow,
  options: { readonly limits: LatencyLimits | undefined; readonly slackUs: Us; readonly gaps?: Distribution },
): LoadSummary {
  const inside = records.filter(({ intendedAt }) => intendedAt >= fromUs && intendedAt < untilUs)
  const lengthS = Math.max(1e-6, toSeconds(untilUs - fromUs))
  const of = (latency: 'ttft' | 'tpot' | 'e2e') => inside.flatMap((record) => latencyOf(record, latency) ?? [])
  const left = inside.filter(
    (one) => !isReal(one) || (one.sentAt ?? Number.POSITIVE_INFINITY) < untilUs + options.slackUs,
  )
  return {
    planned: inside.length,
    ended: countsOf(inside),
    intendedPerSecond: inside.length / lengthS,
    sentPerSecond: left.length / lengthS,
    delay: percentilesOf(
      inside.flatMap((one) =>
        isReal(one) && one.sentAt !== undefined ? [Math.max(0, one.sentAt - one.intendedAt)] : [],
      ),
    ),
    ttft: percentilesOf(of('ttft')),
    tpot: percentilesOf(of('tpot')),
    itl: (options.gaps ?? gapsOf(inside)).percentiles(),
    e2e: percentilesOf(of('e2e')),
    tokens: tokensOf(inside, lengthS),
    goodput: goodputOf(inside, lengthS, options.limits),
  }
}

export const isReal = (record: RequestRecord | LoadRecord): record is LoadRecord => 'ended' in record

/** How a request ended, as finely as its sender says. */
const endOf = (record: RequestRecord | LoadRecord): string => {
  const end = isReal(record) ? record.ended : record.outcome
  return end === 'http' ? `http ${record.status ?? ''}`.trim() : end
}

function countsOf(records: readonly (RequestRecord | LoadRecord)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const record of records) counts[endOf(record)] = (counts[endOf(record)] ?? 0) + 1
  return Object.fromEntries(
    Object.entries(counts).sort(([a], [b]) => Number(b === 'ok') - Number(a === 'ok') || (a < b ? -1 : 1)),
  )
}

function gapsOf(records: readonly (RequestRecord | LoadRecord)[]): Distribution {
  const gaps = new Distribution()
  for (const record of records) if (isReal(record)) for (const gap of record.itlUs) gaps.add(gap)
  return gaps
}

function tokensOf(records: readonly (RequestRecord | LoadRecord)[], lengthS: number): TokenCounts {
  const real = records.filter(isReal)
  const sum = <T>(of: readonly T[], what: (one: T) => number | undefined): number =>
    of.reduce((total, one) => total + (what(one) ?? 0), 0)
  const told = real.filter(({ gotPromptTokens }) => gotPromptTokens !== undefined)
  const got = sum(records, ({ outputTokens }) => outputTokens)
  return {
    plannedPrompt: sum(records, ({ promptTokens }) => promptTokens),
    gotPrompt: sum(told, ({ gotPromptTokens }) => gotPromptTokens),
    plannedOfGot: sum(told, ({ promptTokens }) => promptTokens),
    cached: real.some(({ cachedTokens }) => cachedTokens !== undefined)
      ? sum(real, ({ cachedTokens }) => cachedTokens)
      : undefined,
    asked: sum(real, ({ askedTokens }) => askedTokens),
    got,
    gotPerSecond: got / lengthS,
  }
}

function goodputOf(
  records: readonly RequestRecord[],
  lengthS: number,
  limits: LatencyLimits | undefined,
): LoadSummary['goodput'] {
  if (!limits || Object.keys(limits).length === 0 || records.length === 0) return undefined
  const objective = { kind: 'goodput', share: 1, origin: 'given', limits } as const
  const good = records.filter((record) => gradeOf(record, objective) === true).length
  return { share: good / records.length, perSecond: good / lengthS, limits }
}
