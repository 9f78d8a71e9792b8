import { type Objective, type Slos, shareNeeded } from '../../slo/objective.ts'

/** k6's thresholds by metric, as `options.thresholds` has them. */
export type Thresholds = Readonly<Record<string, readonly string[]>>

/** A rate that k6 keeps of the requests that met an objective. */
export interface ObjectiveRate {
  readonly metric: string
  readonly objective: Objective
}

/**
 * A rate for each objective. Not `p(95)<…` of a trend: k6 interpolates percentiles, and a request that was never answered has no sample in a
 * trend, where here it is a bad one.
 */
export const objectiveRates = (slos: Slos): ObjectiveRate[] =>
  slos.map((objective) => ({ metric: rateName(objective), objective }))

/** `{"slo_ttft_p95": ["rate>=0.95"]}`. */
export const thresholdsOf = (rates: readonly ObjectiveRate[]): Thresholds =>
  Object.fromEntries(rates.map(({ metric, objective }) => [metric, [`rate>=${rounded(shareNeeded(objective))}`]]))

const rateName = (objective: Objective): string =>
  'percentile' in objective
    ? `slo_${objective.kind}_p${String(objective.percentile).replace('.', '_')}`
    : `slo_${objective.kind}`

/** What of the objectives k6's own metrics can say in a script that is not ours, and what they cannot. */
export function builtinThresholds(slos: Slos): { readonly thresholds: Thresholds; readonly unmeasured: Slos } {
  const thresholds: Record<string, string[]> = {}
  const unmeasured: Objective[] = []
  const add = (metric: string, expression: string) => {
    thresholds[metric] = [...(thresholds[metric] ?? []), expression]
  }
  for (const objective of slos)
    if (objective.kind === 'availability') add('http_req_failed', `rate<=${rounded(1 - objective.share)}`)
    else if (objective.kind === 'e2e')
      add('http_req_duration', `p(${objective.percentile})<=${objective.limitUs / 1e3}`)
    else unmeasured.push(objective)
  return { thresholds, unmeasured }
}

/** 99.9 / 100 is a little more than 0.999. */
const rounded = (share: number): number => Number(share.toPrecision(9))
