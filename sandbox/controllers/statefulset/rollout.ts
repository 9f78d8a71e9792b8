import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { isUnavailable, type Pass } from './control.ts'
import { revisionOfPod } from './identity.ts'
import { deleteStatefulPod } from './pods.ts'
import type { Status } from './status.ts'

/**
 * Deletes the pod of the highest ordinal that is not of the new revision, once all above it are available; pods below the
 * partition stay. A broken pod of the old revision is replaced, one of the new revision holds the rollout up until somebody
 * deletes it (kubernetes/kubernetes issue 67250, as upstream). `maxUnavailable` is behind a gate that is off in 1.36.
 */
export function* rollOut(pass: Pass, replicas: readonly o.Pod[], status: Status): Task {
  const { context, set, revisions, now } = pass
  const partition = set.spec.updateStrategy.rollingUpdate?.partition ?? 0
  for (let target = replicas.length - 1; target >= partition; target--) {
    const pod = replicas[target]!
    if (revisionOfPod(pod) !== revisions.update.metadata.name && !pod.metadata.deletionTimestamp) {
      yield* deleteStatefulPod(context, set, pod)
      status.currentReplicas--
      return
    }
    if (isUnavailable(set, pod, now)) return
  }
}
