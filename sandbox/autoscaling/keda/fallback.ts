import { ApiError } from '../../kube/errors.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { milliValueOf, parseQuantity } from '../../kube/quantity.ts'
import type { Task } from '../../world/actor.ts'
import { KedaError } from './errors.ts'
import type { Held } from './operator-context.ts'
import type { MetricSpec } from './scalers/scaler.ts'
import { COMPOSITE_METRIC, usesModifiers } from './spec.ts'
import { INITIAL_CONDITIONS, patchStatus, withCondition } from './status.ts'
import { currentReplicas, readyReplicas } from './target.ts'
import { type ExternalValue, floatOf, int64Of } from './value.ts'

/** What one trigger gave, after the fallback has had its say. */
export interface Observation {
  readonly values: readonly ExternalValue[]
  readonly active: boolean
  /** The values stand in for a trigger that fails. */
  readonly fallback: boolean
  readonly error?: string
}

/**
 * Counts failures of a trigger in the object's health and, after enough of them, puts values in its place that make the HPA hold
 * the fallback's replicas.
 */
// follows pkg/fallback/fallback.go GetMetricsWithFallback
export function* withFallback(
  held: Held,
  measured: { readonly values: readonly ExternalValue[]; readonly active: boolean; readonly error?: string },
  spec: Extract<MetricSpec, { type: 'External' }>,
  kube: Kube,
): Task<Observation> {
  const { name } = spec.external.metric
  const { active, error } = measured
  const { fallback } = held.object.spec
  const usable = fallback !== undefined && isValidFallback(held.object)
  if (error === undefined) {
    if (usable) yield* setHealth(held, name, { numberOfFailures: 0, status: 'Happy' }, kube)
    return { values: measured.values, active, fallback: false }
  }
  if (!usable) return { values: [], active, fallback: false, error }
  const failures = (held.object.status?.health?.[name]?.numberOfFailures ?? 0) + 1
  yield* setHealth(held, name, { numberOfFailures: failures, status: 'Failing' }, kube)
  if (failures <= fallback.failureThreshold) return { values: [], active, fallback: false, error }
  if (fallback.behavior === 'scalingModifiers')
    return { values: [{ metric: name, milli: -1000 }], active, fallback: false }
  try {
    const current = fallback.behavior === 'static' ? 0 : currentReplicas(held.object, kube)
    const value = yield* replacement(held.object, spec, current, kube)
    return value
      ? { values: [value], active, fallback: true }
      : { values: [], active, fallback: false, error: 'error performing fallback' }
  } catch (problem) {
    if (!(problem instanceof KedaError)) throw problem
    return { values: [], active, fallback: false, error }
  }
}

/** Whether a fallback's numbers can be worked with. A target of `scalingModifiers` has to be a whole number for it. */
export function isValidFallback({ spec }: Pick<o.ScaledObject, 'spec'>): boolean {
  const { fallback, advanced } = spec
  const target = advanced?.scalingModifiers?.target ?? ''
  const targetFits = !usesModifiers({ spec }) || (/^[+-]?\d+$/.test(target) && Number(target) > 0)
  return fallback !== undefined && fallback.failureThreshold >= 0 && fallback.replicas >= 0 && targetFits
}

/** The value that makes the HPA want the fallback's replicas; undefined when none can be found. */
function* replacement(
  object: o.ScaledObject,
  { external }: Extract<MetricSpec, { type: 'External' }>,
  current: number,
  kube: Kube,
): Task<ExternalValue | undefined> {
  const modifiers = usesModifiers(object) ? object.spec.advanced!.scalingModifiers! : undefined
  const { target } = external
  let replicas = wantedReplicas(object.spec.fallback!, current)
  if ((modifiers ? modifiers.metricType : target.type) === 'Value') {
    const ready = yield* readyOrNone(object, kube)
    if (ready === 0) return undefined
    replicas /= ready
  }
  const unit = modifiers ? Number(modifiers.target) : quantityAsFloat(target.averageValue ?? target.value ?? '0')
  const metric = modifiers ? COMPOSITE_METRIC : external.metric.name
  return { metric, milli: int64Of(unit * 1000 * replicas) }
}

function wantedReplicas({ behavior, replicas }: o.ScaledObjectFallback, current: number): number {
  if (behavior === 'currentReplicas') return current
  if (behavior === 'currentReplicasIfHigher') return Math.max(current, replicas)
  return behavior === 'currentReplicasIfLower' ? Math.min(current, replicas) : replicas
}

function* readyOrNone(object: o.ScaledObject, kube: Kube): Task<number> {
  try {
    return yield* readyReplicas(object, kube)
  } catch (error) {
    if (error instanceof KedaError || error instanceof ApiError) return 0
    throw error
  }
}

/** As AsApproximateFloat64 of the quantity KEDA made, which is one of thousandths. */
const quantityAsFloat = (text: string): number => floatOf(milliValueOf(parseQuantity(text)))

/** Writes a metric's health and the Fallback condition that follows from all of them; a patch that fails is let be. */
function* setHealth(held: Held, metric: string, health: o.KedaHealth, kube: Kube): Task {
  const before = held.object
  const status = before.status ?? {}
  const all = { ...status.health, [metric]: health }
  const { failureThreshold } = before.spec.fallback!
  const falling = Object.values(all).some(
    ({ status: state, numberOfFailures = 0 }) => state === 'Failing' && numberOfFailures > failureThreshold,
  )
  const after = {
    ...status,
    health: all,
    conditions: fallbackCondition(status.conditions ?? INITIAL_CONDITIONS, falling),
  }
  held.object = { ...before, status: after }
  try {
    const written = yield* patchStatus(before, after, kube)
    if (written !== before) held.object = written
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

const fallbackCondition = (conditions: readonly o.KedaCondition[], falling: boolean): o.KedaCondition[] =>
  falling
    ? withCondition(
        conditions,
        'Fallback',
        'True',
        'FallbackExists',
        'At least one trigger is falling back on this scaled object',
      )
    : withCondition(conditions, 'Fallback', 'False', 'NoFallbackFound', 'No fallbacks are active on this scaled object')
