import type * as o from '../../kube/objects.ts'
import { isAvailable, isReady } from '../../kube/pods.ts'
import type { Task } from '../../world/actor.ts'
import type { Us } from '../../world/time.ts'
import type { ControllerContext } from '../controller.ts'
import { applyRetention, claimsMatchRetention, isClaimStale } from './claims.ts'
import {
  identityMatches,
  inOrdinalRange,
  isCreated,
  newVersionedPod,
  ordinalOf,
  type Revisions,
  startOrdinal,
  storageMatches,
} from './identity.ts'
import { createStatefulPod, deleteStatefulPod, makeMissingClaims, updateStatefulPod } from './pods.ts'
import { rollOut } from './rollout.ts'
import { requestUpwards } from './run.ts'
import { type Status, statusOf } from './status.ts'

// follows updateStatefulSet in pkg/controller/statefulset/stateful_set_control.go

/** One pass over a set. */
export interface Pass {
  readonly context: ControllerContext
  readonly set: o.StatefulSet
  readonly revisions: Revisions
  readonly collisionCount: number
  readonly now: Us
}

/** What a pass came to: the status to write, and why it stopped, if by an error. */
export interface Outcome {
  readonly status: Status
  readonly error?: unknown
}

/** Makes, mends and deletes pods until something has to be waited for. */
export function* updatePods(pass: Pass, pods: readonly o.Pod[]): Task<Outcome> {
  const { set, now } = pass
  const replicas: o.Pod[] = new Array(set.spec.replicas)
  const start = startOrdinal(set)
  for (const pod of pods) if (inOrdinalRange(set, pod)) replicas[ordinalOf(pod) - start] = pod
  for (let i = 0; i < replicas.length; i++) replicas[i] ??= newVersionedPod(pass.revisions, start + i)
  const condemned = pods
    .filter((pod) => ordinalOf(pod) >= 0 && !inOrdinalRange(set, pod))
    .sort((a, b) => ordinalOf(b) - ordinalOf(a))
  const before = statusOf(set, pods, pass.revisions, pass)
  if (set.metadata.deletionTimestamp) return { status: before }
  const bad = (pod: o.Pod) => isUnavailable(set, pod, now)
  const firstUnavailable = replicas.find(bad) ?? condemned.findLast(bad)
  const status = statusOf(set, [...replicas, ...condemned], pass.revisions, pass)
  const ordered = set.spec.podManagementPolicy !== 'Parallel'
  try {
    const stopped =
      (yield* forAll(replicas, ordered, (pod) => processReplica(pass, pod, ordered))) ||
      (yield* forAll(condemned, ordered, (pod) => keepClaims(pass, pod))) ||
      (yield* forAll(condemned, ordered, (pod) => processCondemned(pass, pod, ordered, firstUnavailable)))
    if (stopped || set.spec.updateStrategy.type === 'OnDelete') return { status }
    yield* rollOut(pass, replicas, status)
    return { status }
  } catch (error) {
    return { status, error }
  }
}

export const isUnavailable = (set: o.StatefulSet, pod: o.Pod, now: Us): boolean =>
  !isAvailable(pod, set.spec.minReadySeconds ?? 0, now) || pod.metadata.deletionTimestamp !== undefined

type Step = (pod: o.Pod) => Task<boolean>

/** In order until one says to wait (true), or all in growing batches. Follows runForAll. */
function* forAll(pods: readonly o.Pod[], ordered: boolean, step: Step): Task<boolean> {
  if (!ordered) {
    yield* requestUpwards(pods, step)
    return false
  }
  for (const pod of pods) if (yield* step(pod)) return true
  return false
}

/** Whether to wait before the next pod is looked at. */
function* processReplica({ context, set, revisions, now }: Pass, pod: o.Pod, ordered: boolean): Task<boolean> {
  const { phase } = pod.status
  if (phase === 'Failed' || phase === 'Succeeded') {
    if (!pod.metadata.deletionTimestamp) yield* deleteStatefulPod(context, set, pod)
    return true
  }
  if (!isCreated(pod)) {
    if (isClaimStale(context, set, pod)) return true
    yield* createStatefulPod(context, set, pod)
    if (ordered) return true
  }
  if (phase === 'Pending') yield* makeMissingClaims(context, set, pod)
  if (ordered) {
    if (pod.metadata.deletionTimestamp || phase !== 'Running' || !isReady(pod)) return true
    if (!isAvailable(pod, set.spec.minReadySeconds ?? 0, now)) return true
  }
  const { updateSet } = revisions
  if (identityMatches(set, pod) && storageMatches(set, pod) && claimsMatchRetention(context, updateSet, pod))
    return false
  yield* updateStatefulPod(context, updateSet, pod)
  return false
}

function* keepClaims({ context, revisions: { updateSet } }: Pass, pod: o.Pod): Task<boolean> {
  if (!claimsMatchRetention(context, updateSet, pod)) yield* applyRetention(context, updateSet, pod)
  return false
}

function* processCondemned(
  { context, set, now }: Pass,
  pod: o.Pod,
  ordered: boolean,
  firstUnavailable: o.Pod | undefined,
): Task<boolean> {
  if (pod.metadata.deletionTimestamp) return ordered
  if (ordered && pod !== firstUnavailable) {
    if (pod.status.phase !== 'Running' || !isReady(pod)) return true
    if (!isAvailable(pod, set.spec.minReadySeconds ?? 0, now)) return true
  }
  yield* deleteStatefulPod(context, set, pod)
  return true
}
