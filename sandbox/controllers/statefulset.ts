import { orphanPods, podsByController } from '../kube/indexes.ts'
import { ControllerRevision, keyOf, PersistentVolumeClaim, Pod, StatefulSet } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { isReady } from '../kube/pods.ts'
import type { Task } from '../world/actor.ts'
import { seconds } from '../world/time.ts'
import { claim, recheckDeletion } from './claim.ts'
import { type ControllerContext, controller, primary, watching } from './controller.ts'
import { untilNextAvailable } from './next-available.ts'
import { owned } from './owned.ts'
import {
  adoptRevisions,
  createRevision,
  listRevisions,
  renumber,
  revisionOf,
  sameRevision,
  templateOf,
} from './revision/history.ts'
import { updatePods } from './statefulset/control.ts'
import { isMemberOf, revisionOfPod } from './statefulset/identity.ts'
import { type Status, writeStatus } from './statefulset/status.ts'

/**
 * Keeps the numbered pods of a StatefulSet: made and deleted one after another or all at once, each with its own claims.
 * Follows pkg/controller/statefulset/stateful_set.go and stateful_set_control.go (1.36, MaxUnavailableStatefulSet off).
 */
export const statefulSetController = controller({
  name: 'statefulset-controller',
  workers: 5,
  watches: [
    primary(StatefulSet),
    owned(Pod, StatefulSet, queueWhenAvailable),
    // their caches are read; their changes queue nothing
    watching(PersistentVolumeClaim, () => ({})),
    watching(ControllerRevision, () => ({})),
  ],
  consistentWith: [Pod, PersistentVolumeClaim, StatefulSet],
  *reconcile(key, context) {
    const set = context.kube.get(StatefulSet, key)
    if (!set) return context.consistency.clear(key)
    yield* adoptOrphanRevisions(set, context)
    const pods = yield* claimPods(set, context)
    const { now } = context
    const status = yield* update(set, pods, context)
    const { minReadySeconds = 0 } = set.spec
    if (minReadySeconds > 0 && status.readyReplicas !== status.availableReplicas)
      context.queue.addAfter(key, untilNextAvailable(pods, minReadySeconds, now, context.now))
  },
})

function* adoptOrphanRevisions(set: o.StatefulSet, { kube }: ControllerContext): Task {
  const orphans = listRevisions(kube, set).filter(
    ({ metadata }) => !metadata.ownerReferences?.some((r) => r.controller),
  )
  if (orphans.length === 0) return
  const { error } = yield* recheckDeletion({ kube, ownerKind: StatefulSet, owner: set })
  if (error) throw error
  yield* adoptRevisions(kube, set, orphans)
}

function* claimPods(set: o.StatefulSet, { kube, consistency }: ControllerContext): Task<o.Pod[]> {
  const { uid, namespace = '' } = set.metadata
  return yield* claim([...kube.indexed(podsByController, uid), ...kube.indexed(orphanPods, namespace)], {
    kube,
    owner: set,
    ownerKind: StatefulSet,
    kind: Pod,
    belongs: (pod) => isMemberOf(set, pod),
    wrote: (pod) => consistency.wrote({ key: keyOf(set), uid }, Pod, pod),
  })
}

/** Follows UpdateStatefulSet and performUpdate: the pods, the status, then the history; the first error is thrown at the end. */
function* update(set: o.StatefulSet, pods: readonly o.Pod[], context: ControllerContext): Task<Status> {
  const revisions = listRevisions(context.kube, set)
  const { current, update, collisionCount } = yield* revisionsInUse(set, pods, revisions, context)
  const at = (revision: o.ControllerRevision) =>
    revision === update ? set : { ...set, spec: { ...set.spec, template: templateOf(revision) } }
  const { status, error } = yield* updatePods(
    {
      context,
      set,
      collisionCount,
      now: context.now,
      revisions: { current, update, currentSet: at(current), updateSet: at(update) },
    },
    pods,
  )
  let failure = error
  try {
    yield* writeStatus(context, set, status)
  } catch (statusError) {
    failure ??= statusError
  }
  try {
    yield* truncateHistory(set, pods, revisions, [current, update], context)
  } catch (historyError) {
    failure ??= historyError
  }
  if (failure) throw failure
  return status
}

/** Where they cannot be told the history is cut all the same, down to what pods have. */
function* revisionsInUse(
  set: o.StatefulSet,
  pods: readonly o.Pod[],
  revisions: readonly o.ControllerRevision[],
  context: ControllerContext,
): Task<CurrentRevisions> {
  try {
    return yield* currentRevisions(set, revisions, context)
  } catch (error) {
    yield* truncateHistory(set, pods, revisions, [], context)
    throw error
  }
}

interface CurrentRevisions {
  readonly current: o.ControllerRevision
  readonly update: o.ControllerRevision
  readonly collisionCount: number
}

/** The revision pods have and the one they are to have; a template not seen before is stored. Follows getStatefulSetRevisions. */
function* currentRevisions(
  set: o.StatefulSet,
  revisions: readonly o.ControllerRevision[],
  { kube }: ControllerContext,
): Task<CurrentRevisions> {
  const last = revisions.at(-1)
  let collisionCount = set.status.collisionCount ?? 0
  const draft = revisionOf(set, { revision: (last?.revision ?? 0) + 1, collisionCount })
  const equal = revisions.findLast((revision) => sameRevision(revision, draft))
  let update: o.ControllerRevision
  if (last && equal && sameRevision(last, equal)) update = last
  else if (equal) update = yield* renumber(kube, equal, draft.revision)
  else {
    const made = yield* createRevision(kube, set, draft, collisionCount)
    update = made.revision
    collisionCount = made.collisionCount
  }
  const current = revisions.find(({ metadata }) => metadata.name === set.status.currentRevision) ?? update
  return { current: current.metadata.name === update.metadata.name ? update : current, update, collisionCount }
}

/** Deletes the oldest revisions that no pod has, over the limit. */
function* truncateHistory(
  set: o.StatefulSet,
  pods: readonly o.Pod[],
  revisions: readonly o.ControllerRevision[],
  inUse: readonly o.ControllerRevision[],
  { kube }: ControllerContext,
): Task {
  const live = new Set([...inUse.map(({ metadata }) => metadata.name), ...pods.map(revisionOfPod)])
  const history = revisions.filter(({ metadata }) => !live.has(metadata.name))
  const excess = Math.max(0, history.length - set.spec.revisionHistoryLimit)
  for (const revision of history.slice(0, excess)) yield* kube.delete(ControllerRevision, keyOf(revision))
}

function queueWhenAvailable({ queue }: ControllerContext, set: o.StatefulSet, before: o.Pod, after: o.Pod): void {
  const { minReadySeconds = 0 } = set.spec
  if (minReadySeconds > 0 && !isReady(before) && isReady(after)) queue.addAfter(keyOf(set), seconds(minReadySeconds))
}
