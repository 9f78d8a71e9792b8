import { factsOf } from '../../controllers/pod-facts.ts'
import type { Pod } from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'
import { fromRfc3339, type Us } from '../../world/time.ts'
import type { PodMetrics } from '../metrics-client.ts'

export interface PodGroups {
  /** Pods whose value counts. */
  readonly ready: number
  /** Names of pods that are pending, or not warm yet. */
  readonly unready: readonly string[]
  /** Names of pods without a value. */
  readonly missing: readonly string[]
  /** Names of pods that are being deleted or have failed. */
  readonly ignored: readonly string[]
}

export interface Warmth {
  readonly cpuInitializationPeriod: Us
  readonly initialReadinessDelay: Us
  readonly now: Us
}

/** Follows pkg/controller/podautoscaler/replica_calculator.go groupPods. */
export function groupPods(pods: readonly Pod[], metrics: PodMetrics, resource: string, warmth: Warmth): PodGroups {
  let ready = 0
  const [unready, missing, ignored]: [string[], string[], string[]] = [[], [], []]
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    const { phase } = pod.status
    const metric = metrics.get(name)
    if (deletionTimestamp || phase === 'Failed') ignored.push(name)
    else if (phase === 'Pending') unready.push(name)
    else if (!metric) missing.push(name)
    else if (resource === 'cpu' && isCold(pod, metric, warmth)) unready.push(name)
    else ready++
  }
  return { ready, unready, missing, ignored }
}

/** A start takes cpu that says nothing of the load: such a value is not believed. */
function isCold(pod: Pod, metric: { at: Us; windowUs: Us }, warmth: Warmth): boolean {
  const { startTime } = pod.status
  const changedAt = factsOf(pod).readyChangedAt
  const ready = condition(pod, 'Ready')
  if (!ready || startTime === undefined) return true
  const startedAt = fromRfc3339(startTime)
  const since = changedAt ?? Number.NEGATIVE_INFINITY
  if (startedAt + warmth.cpuInitializationPeriod > warmth.now)
    return ready.status === 'False' || metric.at < since + metric.windowUs
  return ready.status === 'False' && startedAt + warmth.initialReadinessDelay > since
}
