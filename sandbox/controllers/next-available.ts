import type * as o from '../kube/objects.ts'
import { condition, isAvailable, isReady } from '../kube/pods.ts'
import { fromRfc3339, seconds, type Us } from '../world/time.ts'

/**
 * How long from `now` until the next pod that was not available `then` will be, or the whole of minReadySeconds when no pod
 * says. Follows FindMinNextPodAvailabilityCheck in pkg/controller/controller_utils.go.
 */
export function untilNextAvailable(pods: readonly o.Pod[], minReadySeconds: number, then: Us, now: Us): Us {
  const due = pods
    .filter((pod) => isReady(pod) && !isAvailable(pod, minReadySeconds, then))
    .flatMap((pod) => condition(pod, 'Ready')?.lastTransitionTime ?? [])
    .map((readySince) => fromRfc3339(readySince) + seconds(minReadySeconds))
  if (due.length === 0) return seconds(minReadySeconds)
  return Math.max(0, due.reduce((a, b) => Math.min(a, b)) - now)
}
