import { formatDuration, type Us } from '../../sandbox/world/time.ts'

export type Latency = 'ttft' | 'tpot' | 'e2e'

/** One promise about the requests that come within a window. Plain values. */
export type Objective = { readonly origin: 'given' | 'measured' | 'assumed' } & (
  | {
      /** A percentile of a latency is at most `limitUs`. */
      readonly kind: Latency
      readonly percentile: number
      readonly limitUs: Us
    }
  | {
      /** At least `share` of the requests is answered whole. */
      readonly kind: 'availability'
      readonly share: number
    }
  | {
      /** At least `share` of the requests is answered whole and meets every latency limit: DistServe's SLO attainment. */
      readonly kind: 'goodput'
      readonly share: number
      readonly limits: LatencyLimits
    }
)

/** For each latency the limit of its highest percentile: what hardly any request may exceed. */
export type LatencyLimits = Readonly<Partial<Record<Latency, Us>>>

/** All that was promised to the clients of a server. */
export type Slos = readonly Objective[]

/** What an expectation asks for: one kind, or `all` that the user gave, with availability assumed where it was not. */
export type ObjectiveName = Objective['kind'] | 'all'

/** The objectives meant by a name. A latency that is only assumed is judged where it is asked for by name. */
export const objectivesFor = (slos: Slos, name: ObjectiveName): Slos =>
  name === 'all'
    ? slos.filter(({ origin, kind }) => origin !== 'assumed' || kind === 'availability')
    : slos.filter(({ kind }) => kind === name)

/** The limits a request must meet to count as good. */
export function limitsOf(slos: Slos): LatencyLimits {
  const limits: Partial<Record<Latency, { percentile: number; limitUs: Us }>> = {}
  for (const objective of slos) {
    if (objective.kind === 'availability' || objective.kind === 'goodput') continue
    const before = limits[objective.kind]
    if (!before || objective.percentile > before.percentile) limits[objective.kind] = objective
  }
  return Object.fromEntries(Object.entries(limits).map(([kind, { limitUs }]) => [kind, limitUs]))
}

/** Share of the requests that must be good. The p-th percentile (nearest rank) is within its limit just when p of them are. */
export const shareNeeded = (objective: Objective): number =>
  'percentile' in objective ? objective.percentile / 100 : objective.share

/**
 * Requests it takes to judge: with fewer a single one decides a percentile. 20 for p95, 100 for p99; for shares, of which one bad request
 * is the whole of what is allowed, the same: 100 for 99 %, but no more than 1,000.
 */
export const samplesNeeded = (objective: Objective): number =>
  Math.min(1000, Math.max(10, Math.ceil(Number((1 / Math.max(1e-9, 1 - shareNeeded(objective))).toPrecision(9)))))

/** `TTFT p95 ≤ 2s`, `availability ≥ 99 %`, with `(assumed)` where it is. */
export function objectiveText(objective: Objective): string {
  const assumed = objective.origin === 'assumed' ? ' (assumed)' : ''
  if (!('percentile' in objective)) return `${objective.kind} ≥ ${percent(objective.share)}${assumed}`
  return `${LATENCY_NAMES[objective.kind]} p${objective.percentile} ≤ ${formatDuration(objective.limitUs)}${assumed}`
}

export const LATENCY_NAMES: Readonly<Record<Latency, string>> = { ttft: 'TTFT', tpot: 'TPOT', e2e: 'end-to-end' }

export const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`
