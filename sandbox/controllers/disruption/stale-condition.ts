import { keyOf, Pod } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { condition, isFinished } from '../../kube/pods.ts'
import { fromRfc3339, minutes, toRfc3339, type Us } from '../../world/time.ts'
import { type ControllerContext, controller, watching } from '../controller.ts'

const STALE_AFTER: Us = minutes(2)

/**
 * Takes back the condition `DisruptionTarget` of pods that were to go and did not. Part of upstream's disruption controller, with
 * a queue of its own. Follows syncStalePodDisruption in pkg/controller/disruption/disruption.go.
 */
export const staleDisruptionController = controller({
  name: 'disruption-controller/stale-pods',
  workers: 1,
  watches: [
    watching(Pod, (context) => ({
      added: (pod) => queueWhenStale(context, pod),
      updated: (_, pod) => queueWhenStale(context, pod),
    })),
  ],
  *reconcile(key, context) {
    const pod = context.kube.get(Pod, key)
    const left = pod && untilStale(pod, context.now)
    if (!pod || left === undefined) return
    if (left > 0) {
      context.queue.addAfter(key, left)
      return
    }
    const before = condition(pod, 'DisruptionTarget')!
    const { generation } = pod.metadata
    const made: o.Condition = {
      type: 'DisruptionTarget',
      status: 'False',
      lastTransitionTime: toRfc3339(context.now),
      ...(before.observedGeneration && generation ? { observedGeneration: generation } : {}),
    }
    const conditions = pod.status.conditions!.map((c) => (c === before ? made : c))
    yield* context.kube.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } })
  },
})

function queueWhenStale({ queue, now }: ControllerContext, pod: o.Pod): void {
  const left = untilStale(pod, now)
  if (left !== undefined) queue.addAfter(keyOf(pod), left)
}

/** How long a condition has until it is stale; undefined when there is none that could be. */
function untilStale(pod: o.Pod, now: Us): Us | undefined {
  if (pod.metadata.deletionTimestamp) return undefined
  const target = condition(pod, 'DisruptionTarget')
  if (target?.status !== 'True' || target.reason === 'TerminationByKubelet' || isFinished(pod)) return undefined
  return Math.max(0, fromRfc3339(target.lastTransitionTime ?? '') + STALE_AFTER - now)
}
