import { HorizontalPodAutoscaler, keyOf } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { KedaError } from './errors.ts'
import type { Verdict } from './executor.ts'
import type { Observation } from './fallback.ts'
import { composite, goFloat } from './modifiers.ts'
import { type ObservedScaler, observe } from './observe.ts'
import type { Held } from './operator-context.ts'
import type { MetricRecords } from './records.ts'
import type { ScalersCache, ScalersCaches } from './scalers-cache.ts'
import { onlyResources, usesHpaObservations, usesModifiers } from './spec.ts'
import { type ExternalValue, floatOf } from './value.ts'

export interface ScaledObjectState extends Verdict {
  readonly fallback: boolean
  /** What triggers with `useCachedMetrics` gave, by metric. */
  readonly records: ReadonlyMap<string, Observation>
}

/** Asks all triggers of an object whether they call for replicas. Throws a KedaError where its scalers cannot be made. */
// follows pkg/scaling/scale_handler.go getScaledObjectState
export function* stateOf(
  held: Held,
  { caches, records, kube }: { caches: ScalersCaches; records: MetricRecords; kube: Kube },
): Task<ScaledObjectState> {
  const cache = caches.of(held)
  const { object } = held
  const key = keyOf(object)
  const fromHpa = usesHpaObservations(object) && hpaIsQuerying(object, kube)
  const observed = yield* observe(held, cache.scalers, kube, (_, metric) => ({
    final: fromHpa ? records.read(key, metric) : undefined,
  }))
  for (const { record } of observed) if (record.error !== undefined) reportFailure(object, record.error, kube)
  const failing = observed.some(({ record }) => record.error !== undefined)
  if (failing) caches.clear(key)
  const fallback = observed.some(({ record }) => record.fallback)
  const verdict = usesModifiers(object)
    ? compositeVerdict(held.object, observed, cache, { failing, fallback })
    : ownVerdict(observed, failing)
  const active = verdict.active || (onlyResources(object) && !failing)
  const cached = observed.filter(({ built }) => built.trigger.useCachedMetrics)
  return { ...verdict, active, fallback, records: new Map(cached.map(({ metric, record }) => [metric, record])) }
}

function ownVerdict(observed: readonly ObservedScaler[], failing: boolean): Verdict {
  const active = observed.filter(({ record }) => record.error === undefined && (record.active || record.fallback))
  const activeTriggers = active.flatMap(({ record }) => record.values.map(({ metric }) => metric))
  return { active: active.length > 0, failing, activeTriggers }
}

/** With scaling modifiers, the composite value decides. Throws a KedaError where its bound is no number. */
function compositeVerdict(
  object: o.ScaledObject,
  observed: readonly ObservedScaler[],
  cache: ScalersCache,
  { failing, fallback }: { failing: boolean; fallback: boolean },
): Verdict {
  const values = compositeOf(object, observed, cache, fallback)
  if (failing) return { active: false, failing, activeTriggers: [] }
  const text = object.spec.advanced?.scalingModifiers?.activationTarget ?? ''
  const bound = text === '' ? 0 : goFloat(text)
  if (bound === undefined) {
    const why = `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`
    throw new KedaError(`scalingModifiers.ActivationTarget parsing error ${why}`)
  }
  const first = values.find(({ milli }) => floatOf(milli) > bound)
  return { active: first !== undefined, failing, activeTriggers: first ? [first.metric] : [] }
}

/** The value an HPA would be given; none where the formula fails. */
export function compositeOf(
  object: o.ScaledObject,
  observed: readonly ObservedScaler[],
  { formula }: ScalersCache,
  fallback: boolean,
): readonly ExternalValue[] {
  const values = observed.flatMap(({ record }) => record.values)
  const names = new Map(observed.map(({ metric, built }) => [metric, built.trigger.name ?? '']))
  const ofFallback = observed.filter(({ record }) => record.fallback).flatMap(({ record }) => record.values)
  try {
    return composite(object, values, { formula, names, fallbackValues: fallback ? ofFallback : undefined })
  } catch (error) {
    if (error instanceof KedaError) return []
    throw error
  }
}

/** Whether the HPA says that it computes metrics, so that what it saw is fresh. */
function hpaIsQuerying({ metadata, status }: o.ScaledObject, kube: Kube): boolean {
  const hpa = status?.hpaName && kube.get(HorizontalPodAutoscaler, `${metadata.namespace}/${status.hpaName}`)
  if (!hpa) return false
  return hpa.status?.conditions?.find(({ type }) => type === 'ScalingActive')?.status === 'True'
}

const reportFailure = (object: o.ScaledObject, message: string, kube: Kube): void =>
  kube.event(object, 'Warning', usesModifiers(object) ? 'KEDAMetricSourceFailed' : 'KEDAScalerFailed', message)
