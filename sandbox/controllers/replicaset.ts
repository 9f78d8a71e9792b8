import { equal } from '../journal/merge-patch.ts'
import { ApiError, isApiError } from '../kube/errors.ts'
import { controllerOf, orphanPods, podsByController, replicaSetsByController } from '../kube/indexes.ts'
import { keyOf, Pod, ReplicaSet } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { condition, isActive, isAvailable, isReady, isTerminating } from '../kube/pods.ts'
import { selects } from '../kube/selects.ts'
import { allSettled, type Task } from '../world/actor.ts'
import { fromRfc3339, seconds, toRfc3339, type Us } from '../world/time.ts'
import { removeCondition, setCondition } from './conditions.ts'
import { type ControllerContext, controller, owned, primary } from './controller.ts'
import { rankForDeletion } from './deletion-rank.ts'
import { adoptPod, createPod, deletePod, releasePod } from './pod-control.ts'
import { slowStart } from './slow-start.ts'

/** Pods created or deleted in one pass, at most. */
const BURST_REPLICAS = 500

/** Keeps a ReplicaSet at its replica count. Follows pkg/controller/replicaset/replica_set.go (1.36). */
export const replicaSetController = controller({
  name: 'replicaset-controller',
  workers: 5,
  watches: [primary(ReplicaSet), owned(Pod, ReplicaSet)],
  *reconcile(key, context) {
    const { kube, expectations, queue, now } = context
    const rs = kube.get(ReplicaSet, key)
    if (!rs) return expectations.forget(key)
    const mayAct = expectations.satisfied(key) && !rs.metadata.deletionTimestamp
    const pods = yield* claimPods(rs, context)
    const active = pods.filter(isActive)
    const failure = mayAct ? yield* manageReplicas(key, rs, active, context) : undefined
    const status = statusOf(rs, active, pods.filter(isTerminating).length, failure, context.now)
    yield* writeStatus(rs, status, context)
    if (failure) throw failure
    const { minReadySeconds = 0 } = rs.spec
    if (minReadySeconds > 0 && status.readyReplicas !== status.availableReplicas)
      queue.addAfter(key, nextAvailability(active, minReadySeconds, now))
  },
})

/** Brings the number of pods nearer to the wanted one. Returns the first request that failed. */
function* manageReplicas(
  key: string,
  rs: o.ReplicaSet,
  active: readonly o.Pod[],
  { kube, expectations, now }: ControllerContext,
): Task<ApiError | undefined> {
  const missing = Math.min(rs.spec.replicas - active.length, BURST_REPLICAS)
  if (missing > 0) {
    expectations.expectCreations(key, missing)
    const { done, error } = yield* slowStart(missing, () => createPod(kube, rs) as Task<unknown> as Task)
    for (let i = done; i < missing; i++) expectations.creationObserved(key)
    return error
  }
  if (missing < 0) {
    const doomed = rankForDeletion(active, relatedPods(rs, kube), now).slice(0, Math.min(-missing, BURST_REPLICAS))
    expectations.expectDeletions(key, doomed.map(keyOf))
    const outcomes = yield* allSettled(doomed.map((pod) => deletePod(kube, rs, pod)))
    const errors = outcomes.map((outcome) => ('error' in outcome ? outcome.error : undefined))
    doomed.forEach((pod, i) => {
      if (errors[i]) expectations.deletionObserved(key, keyOf(pod))
    })
    return errors.find((e): e is ApiError => e instanceof ApiError && e.reason !== 'NotFound')
  }
  return undefined
}

/** The pods of every ReplicaSet with the same owner: a rolling update spreads over old and new. */
function relatedPods(rs: o.ReplicaSet, kube: ControllerContext['kube']): o.Pod[] {
  const owner = controllerOf(rs)
  const sets = owner ? kube.indexed(replicaSetsByController, owner.uid) : [rs]
  return sets.flatMap((set) => [...kube.indexed(podsByController, set.metadata.uid)])
}

/** Its pods, after taking in orphans that match and letting go of pods that do not. Follows PodControllerRefManager.ClaimPods. */
function* claimPods(rs: o.ReplicaSet, { kube }: ControllerContext): Task<o.Pod[]> {
  const claimed: o.Pod[] = []
  for (const pod of kube.indexed(podsByController, rs.metadata.uid)) {
    if (selects(rs.spec.selector, pod.metadata.labels)) claimed.push(pod)
    else if (isActive(pod) && !rs.metadata.deletionTimestamp) yield* releasePod(kube, rs, pod)
  }
  if (rs.metadata.deletionTimestamp) return claimed
  for (const pod of kube.indexed(orphanPods, rs.metadata.namespace ?? '')) {
    if (!isActive(pod) || !selects(rs.spec.selector, pod.metadata.labels)) continue
    const fresh = yield* kube.read(ReplicaSet, keyOf(rs))
    if (fresh.metadata.uid !== rs.metadata.uid || fresh.metadata.deletionTimestamp) break
    claimed.push(yield* adoptPod(kube, rs, pod))
  }
  return claimed
}

function statusOf(
  rs: o.ReplicaSet,
  active: readonly o.Pod[],
  terminating: number,
  failure: ApiError | undefined,
  now: Us,
): o.ReplicaSet['status'] {
  const { minReadySeconds = 0, template, replicas } = rs.spec
  const failed = condition(rs, 'ReplicaFailure')
  let conditions = rs.status.conditions
  if (failure && !failed)
    conditions = setCondition(conditions, {
      type: 'ReplicaFailure',
      status: 'True',
      reason: active.length < replicas ? 'FailedCreate' : 'FailedDelete',
      message: failure.message,
      lastTransitionTime: toRfc3339(now),
    })
  else if (!failure && failed) conditions = removeCondition(conditions, 'ReplicaFailure')
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) =>
      selects({ matchLabels: template.metadata.labels }, pod.metadata.labels),
    ).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, minReadySeconds, now)).length,
    terminatingReplicas: terminating,
    observedGeneration: rs.metadata.generation,
    ...(conditions && conditions.length > 0 ? { conditions } : {}),
  }
}

/** Writes a status that differs, with one retry on a fresh copy. Follows updateReplicaSetStatus in replica_set_utils.go. */
function* writeStatus(rs: o.ReplicaSet, status: o.ReplicaSet['status'], { kube }: ControllerContext): Task {
  if (equal(rs.status, status)) return
  try {
    yield* kube.updateStatus(ReplicaSet, { ...rs, status })
  } catch (error) {
    if (!isApiError(error, 'Conflict')) throw error
    const fresh = yield* kube.read(ReplicaSet, keyOf(rs))
    yield* kube.updateStatus(ReplicaSet, { ...fresh, status })
  }
}

/** When the next ready pod will have been ready for long enough. Follows FindMinNextPodAvailabilityCheck. */
function nextAvailability(pods: readonly o.Pod[], minReadySeconds: number, now: Us): Us {
  const waits = pods
    .filter((pod) => isReady(pod) && !isAvailable(pod, minReadySeconds, now))
    .map((pod) => fromRfc3339(condition(pod, 'Ready')!.lastTransitionTime!) + seconds(minReadySeconds) - now)
  return waits.length > 0 ? Math.min(...waits) : seconds(minReadySeconds)
}
