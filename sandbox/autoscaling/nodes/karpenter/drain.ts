import { podsByNode } from '../../../controllers/node-lifecycle/pods-not-ready.ts'
import { ApiError } from '../../../kube/errors.ts'
import { keyOf, Node, Pod } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { all, sleep, type Task } from '../../../world/actor.ts'
import type { Clock } from '../../../world/clock.ts'
import { seconds, toRfc3339, toSeconds, type Us } from '../../../world/time.ts'
import { drainRank, isDrainable, isEvictable } from './pods.ts'

const AGAIN_AFTER = seconds(2)

export interface DrainOptions {
  readonly kube: Kube
  readonly clock: Clock
  /** When the machine goes whatever still runs on it; infinity: never. */
  readonly deadline: Us
  /** Why the node is disrupted, for events. */
  readonly reason: string
}

/**
 * Sends a node's pods away in order, within their budgets; waits for protected ones. With a deadline, pods are deleted past budgets
 * and protection in time for their grace period to end with it. Follows pkg/controllers/node/termination/terminator/terminator.go.
 */
export function* drainNode(name: string, { kube, clock, deadline, reason }: DrainOptions): Task {
  for (let told = 0; ; ) {
    const waiting = kube.indexed(podsByNode, name).filter((pod) => isDrainable(pod, clock.now))
    if (waiting.length === 0 || clock.now >= deadline) return
    if (Number.isFinite(deadline))
      yield* all(
        waiting
          .filter((pod) => isExpiring(pod, deadline, clock.now))
          .map((pod) => deleteInTime(pod, deadline, { kube, clock })),
      )
    const rank = Math.min(...waiting.map(drainRank))
    const group = waiting.filter((pod) => drainRank(pod) === rank)
    yield* all(group.filter((pod) => isEvictable(pod, clock.now)).map((pod) => evict(pod, reason, kube)))
    const node = kube.get(Node, name)
    if (node && told !== waiting.length)
      kube.event(
        node,
        'Warning',
        'FailedDraining',
        `Failed to drain node, ${waiting.length} pods are waiting to be evicted`,
      )
    told = waiting.length
    yield* sleep(AGAIN_AFTER)
  }
}

/** Its whole grace period would not fit before the deadline any more. */
const isExpiring = ({ metadata, spec }: o.Pod, deadline: Us, now: Us): boolean =>
  !metadata.deletionTimestamp && now > deadline - seconds(spec.terminationGracePeriodSeconds)

function* deleteInTime(pod: o.Pod, deadline: Us, { kube, clock }: { kube: Kube; clock: Clock }): Task {
  const gracePeriodSeconds = Math.max(0, Math.floor(toSeconds(deadline - clock.now)))
  const { terminationGracePeriodSeconds: own } = pod.spec
  const text = `Deleting the pod to accommodate the terminationTime ${toRfc3339(deadline)} of the node. The pod was granted ${gracePeriodSeconds} seconds of grace-period of its ${own} terminationGracePeriodSeconds. This bypasses the PDB of the pod and the do-not-disrupt annotation.`
  kube.event(pod, 'Normal', 'Disrupted', text)
  try {
    yield* kube.delete(Pod, keyOf(pod), { gracePeriodSeconds, uid: pod.metadata.uid })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

/** A budget that forbids it, or a pod that is gone, is seen at the next look. */
function* evict(pod: o.Pod, reason: string, kube: Kube): Task {
  try {
    yield* kube.evict(keyOf(pod), { uid: pod.metadata.uid })
    kube.event(pod, 'Normal', 'Evicted', `Evicted pod: ${reason}`)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
