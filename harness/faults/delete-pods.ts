import { isApiError } from '../../sandbox/kube/errors.ts'
import { keyOf, Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import { sleep, type Task } from '../../sandbox/world/actor.ts'
import { minutes, seconds, type Us } from '../../sandbox/world/time.ts'
import { sendCanaries } from '../load/canaries.ts'
import { isOf } from '../subject.ts'
import { type FaultContext, fault } from './fault.ts'

interface Params {
  /** At most so many. */
  count: number
}

/** Between two looks whether a pod is gone, or another Ready. */
const LOOK: Us = seconds(1)
/** A pod that is still there so long after its grace period is not waited for. */
const LATE: Us = minutes(2)
/** Nor a replacement that takes longer. */
const REPLACEMENT: Us = minutes(30)
/** Canaries beside each deletion, for each replica: enough to meet a pod that is gone before every proxy has heard. */
const CANARIES_PER_SECOND = 50
const CANARIES_FOR: Us = seconds(2)

/**
 * Ready pods of the subject are deleted as `kubectl delete pod` does, each when the one before is gone and replaced by another that is Ready. Canaries
 * are sent at each deletion. Seen in pods that are on their way out.
 */
export const deletePods = fault<Params>({
  name: 'deletePods',
  sort: 'change',
  describe: ({ count }) => `${count} of its pods are deleted, one after another`,
  *inject({ count }, context) {
    const before = readyPodsOf(context)
    const victims = [...before].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, count)
    for (const [i, pod] of victims.entries()) {
      const replaced = () => readyPodsOf(context).length >= before.length
      if (i > 0 && !(yield* waitFor(replaced, REPLACEMENT))) break
      canaries(context, `canary-${i}`, before.length)
      yield* deleteOne(pod, context)
    }
    return () => undefined
  },
  visible(_, { subject }) {
    const deleted = new Set<string>()
    return {
      record(_, change) {
        if (change?.kind !== Pod.id || !change.after) return
        const { metadata } = change.after
        if (metadata.deletionTimestamp && isOf(subject, change.after as o.Pod)) deleted.add(metadata.uid)
      },
      result: () => ({ samples: deleted.size }),
    }
  },
})

const readyPodsOf = ({ sandbox, subject }: FaultContext): o.Pod[] =>
  sandbox.kube.list(Pod).filter((pod) => isOf(subject, pod) && isReady(pod) && !pod.metadata.deletionTimestamp)

function canaries({ sandbox, subject, setup }: FaultContext, name: string, replicas: number): void {
  sendCanaries({
    world: sandbox.world,
    route: sandbox.reach(subject.service?.key ?? subject.key, subject.service?.port ?? 0),
    model: setup.model,
    target: subject.key,
    name,
    perSecond: CANARIES_PER_SECOND * replicas,
    forUs: CANARIES_FOR,
  })
}

/** Deletes a pod and waits until it is gone. */
function* deleteOne(pod: o.Pod, { sandbox }: FaultContext): Task {
  try {
    yield* sandbox.kube.delete(Pod, keyOf(pod), { uid: pod.metadata.uid })
  } catch (error) {
    // gone by itself, or another has its name by now
    if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) return
    throw error
  }
  const gone = () => sandbox.kube.get(Pod, keyOf(pod))?.metadata.uid !== pod.metadata.uid
  yield* waitFor(gone, seconds(pod.spec.terminationGracePeriodSeconds ?? 30) + LATE)
}

/** Whether it came to hold in time. */
function* waitFor(holds: () => boolean, atMost: Us): Task<boolean> {
  for (let left = atMost; left > 0; left -= LOOK) {
    if (holds()) return true
    yield* sleep(LOOK)
  }
  return holds()
}
