import { isApiError } from '../../kube/errors.ts'
import { keyOf, StatefulSet } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { isAvailable, isReady } from '../../kube/pods.ts'
import { sleep, type Task } from '../../world/actor.ts'
import { ms, type Us } from '../../world/time.ts'
import type { ControllerContext } from '../controller.ts'
import { isCreated, type Revisions, revisionOfPod } from './identity.ts'

// follows pkg/controller/statefulset/stateful_set_control.go and stateful_set_status_updater.go

/** A status with every count given. */
export type Status = o.StatefulSet['status'] &
  Required<
    Pick<
      o.StatefulSet['status'],
      'readyReplicas' | 'currentReplicas' | 'updatedReplicas' | 'currentRevision' | 'updateRevision'
    >
  >

/** What the pods add up to. */
export function statusOf(
  set: o.StatefulSet,
  pods: readonly o.Pod[],
  { current, update }: Pick<Revisions, 'current' | 'update'>,
  { collisionCount, now }: { collisionCount: number; now: Us },
): Status {
  const status: Status = {
    observedGeneration: set.metadata.generation,
    replicas: 0,
    readyReplicas: 0,
    currentReplicas: 0,
    updatedReplicas: 0,
    availableReplicas: 0,
    currentRevision: current.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount,
  }
  for (const pod of pods) {
    if (!isCreated(pod)) continue
    status.replicas++
    if (pod.status.phase === 'Running' && isReady(pod)) {
      status.readyReplicas++
      if (isAvailable(pod, set.spec.minReadySeconds ?? 0, now)) status.availableReplicas++
    }
    if (pod.metadata.deletionTimestamp) continue
    const revision = revisionOfPod(pod)
    if (revision === current.metadata.name) status.currentReplicas++
    if (revision === update.metadata.name) status.updatedReplicas++
  }
  return status
}

const COUNTS = ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const
const OMITTED_AT_0 = ['readyReplicas', 'currentReplicas', 'updatedReplicas'] as const
/** client-go's retry.DefaultRetry. */
const TRIES = 5
const PAUSE = ms(10)

/** Writes a status that differs; one that tells of a complete rollout makes the new revision the current one. */
export function* writeStatus(context: ControllerContext, set: o.StatefulSet, status: Status): Task {
  const { replicas, updateStrategy } = set.spec
  const complete =
    updateStrategy.type === 'RollingUpdate' &&
    [status.updatedReplicas, status.readyReplicas, status.replicas].every((count) => count === replicas)
  const settled = complete
    ? { ...status, currentReplicas: status.updatedReplicas, currentRevision: status.updateRevision }
    : status
  if (!isInconsistent(set.status, settled)) return
  const { kube, consistency } = context
  let based = set
  for (let tries = 1; ; tries++) {
    try {
      const written = yield* kube.updateStatus(StatefulSet, { ...based, status: asWritten(settled) })
      return consistency.wrote({ key: keyOf(set), uid: set.metadata.uid }, StatefulSet, written)
    } catch (error) {
      if (!isApiError(error, 'Conflict') || tries === TRIES) throw error
      yield* sleep(PAUSE)
      based = kube.get(StatefulSet, keyOf(set)) ?? based
    }
  }
}

const isInconsistent = (held: o.StatefulSet['status'], status: Status): boolean =>
  (status.observedGeneration ?? 0) > (held.observedGeneration ?? 0) ||
  COUNTS.some((count) => status[count] !== (held[count] ?? 0)) ||
  status.currentRevision !== (held.currentRevision ?? '') ||
  status.updateRevision !== (held.updateRevision ?? '')

function asWritten(status: Status): o.StatefulSet['status'] {
  const out: o.StatefulSet['status'] = { ...status }
  for (const count of OMITTED_AT_0) if (!out[count]) delete out[count]
  return out
}
