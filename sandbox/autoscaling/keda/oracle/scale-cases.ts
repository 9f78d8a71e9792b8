import type * as o from '../../../kube/objects.ts'
import { seconds, toRfc3339 } from '../../../world/time.ts'
import { KedaError } from '../errors.ts'
import { requestScale } from '../executor.ts'
import { withFallback } from '../fallback.ts'
import type { MetricSpec } from '../scalers/scaler.ts'
import { type Dice, finished, standIn } from './stand-ins.ts'

const GVKR = { group: 'apps', version: 'v1', kind: 'Deployment', resource: 'deployments' }
const METRICS = ['s0-prometheus', 's1-cron-x']

function objectOf(dice: Dice, spec: Partial<o.ScaledObjectSpec>, status: o.ScaledObjectStatus): o.ScaledObject {
  const flags = ['paused', 'paused-replicas', 'paused-scale-in', 'paused-scale-out', 'force-activation']
  const given = flags.filter(() => dice.chance(0.06))
  const annotations = given.map((flag) => [`autoscaling.keda.sh/${flag}`, dice.one(['true', 'false', 'odd', '3', '0'])])
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'web', namespace: 'default', annotations: Object.fromEntries(annotations) } as o.ObjectMeta,
    spec: { scaleTargetRef: { name: 'web' }, triggers: [], ...spec },
    status: { scaleTargetKind: 'apps/v1.Deployment', scaleTargetGVKR: GVKR, ...status },
  }
}

const fallbackOf = (dice: Dice): o.ScaledObjectFallback => ({
  failureThreshold: dice.below(4),
  replicas: dice.below(5),
  ...dice.maybe(0.9, 'behavior', () =>
    dice.one([
      'static',
      'currentReplicas',
      'currentReplicasIfHigher',
      'currentReplicasIfLower',
      'scalingModifiers',
    ] as const),
  ),
})

/** One decision of the executor about a target. */
export function scaleCase(dice: Dice) {
  const spec: Partial<o.ScaledObjectSpec> = {
    ...dice.maybe(0.6, 'minReplicaCount', () => dice.below(4)),
    ...dice.maybe(0.3, 'idleReplicaCount', () => dice.below(3)),
    ...dice.maybe(0.5, 'cooldownPeriod', () => dice.one([0, 30, 300])),
    ...dice.maybe(0.3, 'initialCooldownPeriod', () => dice.one([0, 60])),
    ...dice.maybe(0.3, 'fallback', () => fallbackOf(dice)),
  }
  const status = {
    ...dice.maybe(0.5, 'hpaName', () => 'keda-hpa-web'),
    externalMetricNames: METRICS.slice(0, dice.below(3)),
  }
  const reason = dice.one(['ScalingDisabled', 'FailedGetExternalMetric', ''])
  const condition = { type: 'ScalingActive', status: dice.one(['True', 'False'] as const), reason, message: 'said' }
  return {
    op: 'scale',
    object: objectOf(dice, spec, status),
    replicas: dice.below(6),
    missing: dice.chance(0.03),
    scaleFails: dice.chance(0.1),
    active: dice.chance(0.5),
    failing: dice.chance(0.3),
    activeTriggers: METRICS.filter(() => dice.chance(0.5)),
    createdAgo: dice.one([1, 20, 59, 61, 1000]) + 0.5,
    ...dice.maybe(0.6, 'lastActiveAgo', () => dice.one([0, 29, 31, 200, 299, 301, 5000]) + 0.5),
    ...dice.maybe(0.6, 'hpa', () => (dice.chance(0.8) ? [condition] : [])),
  }
}

const NOW = seconds(1_000_000.5)

/** What the sandbox's executor makes of it. */
export function ourScale(item: ReturnType<typeof scaleCase>) {
  const { createdAgo, lastActiveAgo, object, active, failing, activeTriggers } = item
  const given: o.ScaledObject = {
    ...object,
    metadata: { ...object.metadata, creationTimestamp: toRfc3339(NOW - seconds(createdAgo)) },
    status: {
      ...object.status,
      ...(lastActiveAgo === undefined ? {} : { lastActiveTime: toRfc3339(NOW - seconds(lastActiveAgo)) }),
    },
  }
  const place = standIn({ ...item, hpa: item.hpa, replicas: item.missing ? undefined : item.replicas })
  const verdict = { active, failing, activeTriggers }
  const result = finished(requestScale(given, verdict, { kube: place.kube, clock: { now: NOW } }))
  return {
    conditions: result.conditions,
    lastActive: result.lastActiveTime !== undefined,
    activity: result.triggersActivity,
    failure: result.error ?? '',
    replicas: place.replicas() ?? item.replicas,
    events: place.events,
  }
}

/** One observation of a trigger that may fail. */
export function fallbackCase(dice: Dice) {
  const type = dice.one(['AverageValue', 'Value'] as const)
  const quantity = dice.one(['5', '500m', '1k', '333m', '0', '12345m'])
  const modifiers: o.ScalingModifiers = {
    formula: 'a',
    target: dice.one(['5', '2.5', '0', '10']),
    ...dice.maybe(0.5, 'metricType', () => dice.one(['AverageValue', 'Value'] as const)),
  }
  const health = METRICS.filter(() => dice.chance(0.5)).map((metric) => {
    const numberOfFailures = dice.below(6)
    return [metric, { numberOfFailures, status: numberOfFailures === 0 ? 'Happy' : 'Failing' }]
  })
  const conditions: o.KedaCondition[] = [
    { type: 'Ready', status: 'True' },
    { type: 'Fallback', status: dice.one(['True', 'False']), reason: 'x', message: 'y' },
  ]
  return {
    op: 'fallback',
    object: objectOf(
      dice,
      {
        ...dice.maybe(0.9, 'fallback', () => fallbackOf(dice)),
        ...dice.maybe(0.3, 'advanced', () => ({ scalingModifiers: modifiers })),
      },
      {
        ...(health.length > 0 ? { health: Object.fromEntries(health) } : {}),
        ...dice.maybe(0.8, 'conditions', () => conditions),
      },
    ),
    metric: 's0-prometheus',
    spec: {
      type: 'External' as const,
      external: {
        metric: { name: 's0-prometheus' },
        target: type === 'Value' ? { type, value: quantity } : { type, averageValue: quantity },
      },
    } satisfies MetricSpec,
    milli: dice.below(100_000),
    failure: dice.chance(0.75) ? 'it broke' : '',
    replicas: dice.below(8),
    ready: dice.below(4),
    unready: dice.below(2),
  }
}

/** What the sandbox's fallback makes of it. */
export function ourFallback(item: ReturnType<typeof fallbackCase>) {
  const { object, metric, milli, failure } = item
  const { kube } = standIn({ ...item, object })
  const held = { object }
  const measured = failure
    ? { values: [], active: false, error: failure }
    : { values: [{ metric, milli }], active: true }
  const got = finished(withFallback(held, measured, item.spec, kube))
  return {
    values: got.values,
    fallback: got.fallback,
    failure: got.error ?? '',
    health: held.object.status?.health ?? null,
    conditions: held.object.status?.conditions ?? null,
  }
}

/** An answer, or the error's text, as the oracle gives it. */
export function orError<T>(make: () => T): T | { error: string } {
  try {
    return make()
  } catch (error) {
    if (error instanceof KedaError) return { error: error.message }
    throw error
  }
}
