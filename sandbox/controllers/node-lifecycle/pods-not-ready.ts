import { ApiError, isApiError } from '../../kube/errors.ts'
import { Pod } from '../../kube/kinds.ts'
import type { Index, Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { toRfc3339 } from '../../world/time.ts'
import type { World } from '../../world/world.ts'

export const podsByNode: Index<o.Pod> = {
  kind: Pod,
  name: 'spec.nodeName',
  values: (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []),
}

/**
 * Says of pods that they are not ready: nobody knows better, their node being silent. One after the other. Gives the first error
 * when not all could be told. Follows pkg/controller/util/node/controller_utils.go MarkPodsNotReady.
 */
export function* markPodsNotReady(
  { kube, world }: { kube: Kube; world: World },
  pods: readonly o.Pod[],
): Task<ApiError | undefined> {
  let failed: ApiError | undefined
  for (const pod of pods) {
    const ready = pod.status.conditions?.find((c) => c.type === 'Ready')
    if (!ready || ready.status === 'False') continue
    const lastTransitionTime = toRfc3339(world.clock.now)
    const conditions = pod.status.conditions!.map((c) =>
      c === ready ? { ...c, status: 'False' as const, lastTransitionTime } : c,
    )
    try {
      yield* kube.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } })
    } catch (error) {
      if (isApiError(error, 'NotFound')) continue
      if (!(error instanceof ApiError)) throw error
      failed ??= error
    }
    kube.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
  }
  return failed
}
