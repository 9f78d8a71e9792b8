import { podsByNode } from '../../controllers/node-lifecycle/pods-not-ready.ts'
import { ApiError } from '../../kube/errors.ts'
import { controllerOf } from '../../kube/indexes.ts'
import { keyOf, Node, Pod } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { isFinished } from '../../kube/pods.ts'
import { all, sleep, type Task } from '../../world/actor.ts'
import type { Clock } from '../../world/clock.ts'
import { fromRfc3339, seconds, type Us } from '../../world/time.ts'

export interface EvacuateOptions {
  readonly kube: Kube
  readonly clock: Clock
  /** How long a refused eviction is asked for again. */
  readonly evictFor: Us
  /** How long evicted pods may take to end. */
  readonly endWithin: Us
  readonly gracePeriodSecondsMax?: number
}

const AGAIN_AFTER = seconds(10)

/** The pods of a node that have to go before the machine may: not those of DaemonSets, static ones, and finished ones. */
export const residents = (kube: Kube, node: string, now: Us): o.Pod[] =>
  kube.indexed(podsByNode, node).filter((pod) => !staysWith(pod) && !isFinished(pod) && !isStuck(pod, now))

/** Should have ended half a minute ago. Follows cluster-autoscaler/utils/drain/drain.go IsPodLongTerminating. */
export const isStuck = ({ metadata }: o.Pod, now: Us): boolean =>
  metadata.deletionTimestamp !== undefined && now - fromRfc3339(metadata.deletionTimestamp) > seconds(30)

const staysWith = (pod: o.Pod): boolean => controllerOf(pod)?.kind === 'DaemonSet' || controllerOf(pod)?.kind === 'Node'

/** Evicts all pods of a node and waits for their end. False when some would not go in time. Follows core/scaledown/actuation/drain.go. */
export function* evacuate(node: string, options: EvacuateOptions): Task<boolean> {
  const { kube, clock, evictFor, endWithin } = options
  const outcomes = yield* all(
    residents(kube, node, clock.now).map((pod) => evictOne(pod, clock.now + evictFor, options)),
  )
  if (outcomes.includes(false)) return false
  const deadline = clock.now + endWithin
  while (residents(kube, node, clock.now).length > 0) {
    if (clock.now >= deadline) return false
    yield* sleep(seconds(5))
  }
  return true
}

function* evictOne(pod: o.Pod, until: Us, { kube, clock, gracePeriodSecondsMax }: EvacuateOptions): Task<boolean> {
  if (pod.metadata.deletionTimestamp) return true
  kube.event(pod, 'Normal', 'ScaleDown', 'deleting pod for node scale down')
  const own = pod.spec.terminationGracePeriodSeconds
  const gracePeriodSeconds = Math.min(own, gracePeriodSecondsMax ?? own)
  for (;;) {
    try {
      yield* kube.evict(keyOf(pod), { uid: pod.metadata.uid, gracePeriodSeconds })
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.reason === 'NotFound' || error.reason === 'Conflict') return true
    }
    if (clock.now + AGAIN_AFTER > until) {
      kube.event(pod, 'Warning', 'ScaleDownFailed', 'failed to delete pod for ScaleDown')
      return false
    }
    yield* sleep(AGAIN_AFTER)
    if (!kube.get(Pod, keyOf(pod))) return true
  }
}

/** Deletes a Node that may be gone already. */
export function* deleteNode(kube: Kube, name: string): Task {
  try {
    yield* kube.delete(Node, name)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
