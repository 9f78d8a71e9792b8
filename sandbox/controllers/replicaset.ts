import type { ApiError } from '../kube/errors.ts'
import { controllerOf, orphanPods, podsByController, replicaSetsByController } from '../kube/indexes.ts'
import { keyOf, Pod, ReplicaSet } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { isReady } from '../kube/pods.ts'
import { selects } from '../kube/selects.ts'
import type { Task } from '../world/actor.ts'
import { seconds } from '../world/time.ts'
import { claim } from './claim.ts'
import { type ControllerContext, controller, primary } from './controller.ts'
import { rankForDeletion } from './deletion-rank.ts'
import { untilNextAvailable } from './next-available.ts'
import { owned } from './owned.ts'
import { createPod, deletePod } from './pod-control.ts'
import { factsOf, labelTest } from './pod-facts.ts'
import { replicaSetStatus, writeReplicaSetStatus } from './replicaset-status.ts'
import { requestAll, slowStart } from './slow-start.ts'

/** Pods created or deleted in one pass, at most. */
const BURST_REPLICAS = 500

/** Keeps a ReplicaSet at its replica count. Follows pkg/controller/replicaset/replica_set.go (1.36). */
export const replicaSetController = controller({
  name: 'replicaset-controller',
  workers: 5,
  watches: [primary(ReplicaSet), owned(Pod, ReplicaSet, queueWhenAvailable)],
  consistentWith: [Pod, ReplicaSet],
  *reconcile(key, context) {
    const { kube, expectations, queue, consistency } = context
    const rs = kube.get(ReplicaSet, key)
    if (!rs) {
      consistency.clear(key)
      return expectations.forget(key)
    }
    const mayAct = expectations.satisfied(key) && !rs.metadata.deletionTimestamp
    const { active, terminating } = yield* claimPods(rs, context)
    const failure = mayAct ? yield* manageReplicas(key, rs, active, context) : undefined
    const { now } = context
    const status = replicaSetStatus(rs, { active, terminating, failure, now })
    const written = yield* writeReplicaSetStatus(kube, rs, status)
    consistency.wrote({ key, uid: rs.metadata.uid }, ReplicaSet, written)
    if (failure) throw failure
    if (status.readyReplicas === status.availableReplicas) return
    queue.addAfter(key, untilNextAvailable(active, rs.spec.minReadySeconds ?? 0, now, context.now))
  },
})

/** Brings the number of pods nearer to the wanted one. Returns the first request that failed. */
function* manageReplicas(
  key: string,
  rs: o.ReplicaSet,
  active: readonly o.Pod[],
  { kube, expectations, consistency, now }: ControllerContext,
): Task<ApiError | undefined> {
  const missing = Math.min(rs.spec.replicas - active.length, BURST_REPLICAS)
  if (missing > 0) {
    expectations.expectCreations(key, missing)
    const { done, error } = yield* slowStart(missing, function* () {
      consistency.wrote({ key, uid: rs.metadata.uid }, Pod, yield* createPod(kube, rs))
    })
    for (let i = done; i < missing; i++) expectations.creationObserved(key)
    return error
  }
  if (missing === 0) return undefined
  const count = Math.min(active.length - rs.spec.replicas, BURST_REPLICAS)
  const ranked = count < active.length ? rankForDeletion(active, relatedPods(rs, kube), now) : active
  const doomed = ranked.slice(0, count)
  expectations.expectDeletions(key, doomed.map(keyOf))
  const errors = yield* requestAll(doomed.map((pod) => () => deletePod(kube, rs, pod)))
  doomed.forEach((pod, i) => {
    if (errors[i]) expectations.deletionObserved(key, keyOf(pod))
  })
  return errors.find((error) => error && error.reason !== 'NotFound')
}

/** The pods of every ReplicaSet with the same owner: a rolling update spreads over old and new. */
function relatedPods(rs: o.ReplicaSet, kube: ControllerContext['kube']): o.Pod[] {
  const owner = controllerOf(rs)
  const sets = owner ? kube.indexed(replicaSetsByController, owner.uid) : []
  return sets.flatMap((set) =>
    kube.indexed(podsByController, set.metadata.uid).filter((pod) => selects(set.spec.selector, pod.metadata.labels)),
  )
}

/** Its pods, after taking in orphans that match and letting go of pods that do not. */
function* claimPods(
  rs: o.ReplicaSet,
  { kube, consistency }: ControllerContext,
): Task<{ active: o.Pod[]; terminating: o.Pod[] }> {
  const matches = labelTest((labels) => selects(rs.spec.selector, labels))
  const active: o.Pod[] = []
  const terminating: o.Pod[] = []
  const doubtful: o.Pod[] = []
  for (const pod of kube.indexed(podsByController, rs.metadata.uid)) {
    const facts = factsOf(pod)
    if (facts.active) (matches(pod) ? active : doubtful).push(pod)
    else if (facts.terminating && matches(pod)) terminating.push(pod)
  }
  for (const pod of kube.indexed(orphanPods, rs.metadata.namespace ?? '')) if (factsOf(pod).active) doubtful.push(pod)
  if (doubtful.length === 0) return { active, terminating }
  const adopted = yield* claim(doubtful, {
    kube,
    owner: rs,
    ownerKind: ReplicaSet,
    kind: Pod,
    wrote(pod) {
      const owner = controllerOf(pod)
      if (owner) consistency.wrote({ key: `${pod.metadata.namespace}/${owner.name}`, uid: owner.uid }, Pod, pod)
    },
  })
  return { active: [...active, ...adopted], terminating }
}

/** A pod that has just become ready is looked at again when it will be available. */
function queueWhenAvailable({ queue }: ControllerContext, rs: o.ReplicaSet, before: o.Pod, after: o.Pod): void {
  const { minReadySeconds = 0 } = rs.spec
  if (minReadySeconds > 0 && !isReady(before) && isReady(after)) queue.addAfter(keyOf(rs), seconds(minReadySeconds))
}
