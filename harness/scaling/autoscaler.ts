import { HorizontalPodAutoscaler, keyOf, ScaledObject } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { formatDuration, type Us } from '../../sandbox/world/time.ts'
import type { Evidence } from '../expectations/check.ts'
import type { ObjectsView } from '../objects-view.ts'
import type { Subject } from '../subject.ts'

/** The HorizontalPodAutoscaler of the subject as it is now: the user's, or the one KEDA made of a ScaledObject. */
export const hpaOf = (subject: Subject, view: ObjectsView): o.HorizontalPodAutoscaler | undefined =>
  view
    .list(HorizontalPodAutoscaler)
    .find((hpa) => scales(hpa.spec.scaleTargetRef, hpa.metadata.namespace ?? '', subject))

/** The ScaledObject of the subject. */
export const scaledObjectOf = (subject: Subject, view: ObjectsView): o.ScaledObject | undefined =>
  view.list(ScaledObject).find((one) => scales(one.spec.scaleTargetRef, one.metadata.namespace ?? '', subject))

/** Whether its autoscaler may take it to no replica at all, as it is now. */
export function goesToZero(subject: Subject, view: ObjectsView): boolean {
  const { minReplicaCount = 0, idleReplicaCount } = scaledObjectOf(subject, view)?.spec ?? { minReplicaCount: 1 }
  return minReplicaCount === 0 || idleReplicaCount === 0 || hpaOf(subject, view)?.spec.minReplicas === 0
}

/** What the autoscaler says of itself: its metrics as `kubectl get hpa` shows them, and the conditions that explain what it did. */
export function saysOf(subject: Subject, view: ObjectsView, at: Us): Evidence[] {
  const hpa = hpaOf(subject, view)
  const scaled = scaledObjectOf(subject, view)
  const about = hpa && `HorizontalPodAutoscaler ${keyOf(hpa)}`
  const conditions = (hpa?.status?.conditions ?? []).filter(({ type, status }) =>
    type === 'ScalingActive' ? status !== 'True' : type === 'ScalingLimited' && status === 'True',
  )
  const failing = (scaled?.status?.conditions ?? []).filter(
    ({ type, status }) => (type === 'Ready' && status !== 'True') || (type === 'Fallback' && status === 'True'),
  )
  return [
    ...(hpa && about ? [{ at, about, text: hpaText(hpa) }] : []),
    ...conditions.map(({ type, status, reason, message }) => ({
      at,
      about: about ?? '',
      text: `${type}=${status} ${reason}: ${message}`,
    })),
    ...failing.map(({ type, status, reason, message }) => ({
      at,
      about: `ScaledObject ${keyOf(scaled!)}`,
      text: `${type}=${status} ${reason}: ${message}`,
    })),
  ]
}

/** `replicas 1 (1 to 4), cpu 14% (target 80%)`. */
export function hpaText({ spec, status }: o.HorizontalPodAutoscaler): string {
  const metrics = spec.metrics.map((metric, i) => metricText(metric, status?.currentMetrics?.[i]))
  return [`replicas ${status?.desiredReplicas ?? '?'} (${spec.minReplicas} to ${spec.maxReplicas})`, ...metrics].join(
    ', ',
  )
}

const sourceIn = (metric: Partial<o.MetricSpec & o.MetricStatus>) =>
  metric.resource ?? metric.containerResource ?? metric.pods ?? metric.object ?? metric.external

function metricText(spec: o.MetricSpec, status: o.MetricStatus | undefined): string {
  const wanted = sourceIn(spec as never) as { name?: string; metric?: { name: string }; target: o.MetricTarget }
  const current = status && (sourceIn(status as never) as { current?: o.MetricValueStatus } | undefined)?.current
  const name = wanted.name ?? wanted.metric?.name ?? ''
  return `${name} ${valueText(current)} (target ${valueText(wanted.target)})`
}

function valueText(value: Partial<o.MetricTarget> | undefined): string {
  if (value?.averageUtilization !== undefined) return `${value.averageUtilization}%`
  if (value?.averageValue !== undefined) return `${value.averageValue} a replica`
  return value?.value ?? '<unknown>'
}

const scales = (ref: { kind?: string; name: string }, namespace: string, subject: Subject): boolean =>
  namespace === subject.namespace && ref.name === subject.name && (ref.kind ?? 'Deployment') === subject.kind

/** `12s` between two moments; `?` while one of them has not come. */
export const between = (from: Us | undefined, to: Us | undefined): string =>
  from === undefined || to === undefined ? '?' : formatDuration(Math.max(0, to - from))
