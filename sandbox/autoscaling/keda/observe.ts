import type { Kube } from '../../kube/kube.ts'
import { all, type Task } from '../../world/actor.ts'
import { type Observation, withFallback } from './fallback.ts'
import type { Held } from './operator-context.ts'

import { type BuiltScaler, measure } from './scalers-cache.ts'

export interface ObservedScaler {
  readonly built: BuiltScaler
  readonly metric: string
  readonly record: Observation
}

/**
 * Asks scalers of external metrics side by side and applies the fallback, in the order of the triggers. `known` may give what was
 * seen already: `raw` still goes through the fallback, `final` is taken as it is.
 */
// follows pkg/scaling/scale_handler.go observeMetric
export function* observe(
  held: Held,
  scalers: readonly BuiltScaler[],
  kube: Kube,
  known: (scaler: BuiltScaler, metric: string) => { raw?: Observation; final?: Observation },
): Task<ObservedScaler[]> {
  const asked = scalers.flatMap((built) => {
    const spec = built.scaler.metricSpec
    return spec.type === 'External' ? [{ built, spec, known: known(built, spec.external.metric.name) }] : []
  })
  const measured = yield* all(asked.map((one) => measuredOf(one.built, one.known.final ?? one.known.raw)))
  const observed: ObservedScaler[] = []
  for (const [i, one] of asked.entries())
    observed.push({
      built: one.built,
      metric: one.spec.external.metric.name,
      record: one.known.final ?? (yield* withFallback(held, measured[i]!, one.spec, kube)),
    })
  return observed
}

type Measurement = Parameters<typeof withFallback>[1]

function* measuredOf(built: BuiltScaler, known: Observation | undefined): Task<Measurement> {
  return known ?? (yield* measure(built))
}
