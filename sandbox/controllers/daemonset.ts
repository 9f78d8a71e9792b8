import { equal } from '../journal/merge-patch.ts'
import { ApiError } from '../kube/errors.ts'
import { orphanPods, podsByController } from '../kube/indexes.ts'
import { ControllerRevision, DaemonSet, keyOf, Node, Pod } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { isAvailable, isReady } from '../kube/pods.ts'
import type { Task } from '../world/actor.ts'
import { seconds } from '../world/time.ts'
import { claim, recheckDeletion } from './claim.ts'
import { type ControllerContext, type ControllerSpec, controller, primary, watching } from './controller.ts'
import { type FailureBackoff, manageNodes } from './daemonset/nodes.ts'
import { HASH, isUpdated, type Pass, podsByNode } from './daemonset/pass.ts'
import { judgeNode } from './daemonset/placement.ts'
import { rollOut } from './daemonset/rollout.ts'
import { owned } from './owned.ts'
import {
  adoptRevisions,
  createRevision,
  listRevisions,
  renumber,
  revisionOf,
  sameRevision,
} from './revision/history.ts'

/** Keeps a pod on every node that should have one. Follows pkg/controller/daemon/daemon_controller.go (1.36). One instance each. */
export function daemonSetController(): ControllerSpec {
  const backoff: FailureBackoff = new Map()
  return controller({
    name: 'daemonset-controller',
    workers: 2,
    watches: [
      primary(DaemonSet),
      owned(Pod, DaemonSet, queueWhenAvailable),
      watching(ControllerRevision, () => ({})),
      watching(Node, (context) => ({
        added: (node) => queueFor(context, (set) => judgeNode(set, node).shouldRun),
        updated(before, node) {
          if (equal(before.metadata.labels, node.metadata.labels) && equal(before.spec, node.spec)) return
          queueFor(context, (set) => !equal(judgeNode(set, before), judgeNode(set, node)))
        },
      })),
    ],
    consistentWith: [Pod, DaemonSet],
    *reconcile(key, context) {
      const { kube, expectations, consistency } = context
      const set = kube.get(DaemonSet, key)
      if (!set) {
        expectations.forget(key)
        return consistency.clear(key)
      }
      if (!set.metadata.deletionTimestamp) yield* syncSet(key, set, context, backoff)
    },
  })
}

function queueFor({ kube, queue }: ControllerContext, concerns: (set: o.DaemonSet) => boolean): void {
  for (const set of kube.list(DaemonSet)) if (concerns(set)) queue.add(keyOf(set))
}

function* syncSet(key: string, set: o.DaemonSet, context: ControllerContext, backoff: FailureBackoff): Task {
  const { kube, expectations } = context
  const { current, old } = yield* currentRevision(set, context)
  const hash = current.metadata.labels?.[HASH] ?? ''
  const pass = yield* newPass(key, set, hash, context)
  if (!expectations.satisfied(key)) return yield* writeStatus(yield* newPass(key, set, hash, context), false)
  let failure: unknown
  try {
    yield* manageNodes(pass, backoff)
    if (expectations.satisfied(key)) {
      if (set.spec.updateStrategy.type === 'RollingUpdate') yield* rollOut(pass)
      yield* cleanUpHistory(set, old, pass, kube)
    }
  } catch (error) {
    failure = error
  }
  yield* writeStatus(yield* newPass(key, set, hash, context), true)
  if (failure) throw failure
}

function* newPass(key: string, set: o.DaemonSet, hash: string, context: ControllerContext): Task<Pass> {
  const { kube, consistency, now } = context
  const { uid, namespace = '' } = set.metadata
  const pods = yield* claim([...kube.indexed(podsByController, uid), ...kube.indexed(orphanPods, namespace)], {
    kube,
    owner: set,
    ownerKind: DaemonSet,
    kind: Pod,
    wrote: (pod) => consistency.wrote({ key, uid }, Pod, pod),
  })
  return { key, set, context, hash, now, nodes: kube.list(Node), byNode: podsByNode(pods) }
}

/** The revision of the template, made or renumbered where needed, and the others. Follows constructHistory. */
function* currentRevision(
  set: o.DaemonSet,
  { kube }: ControllerContext,
): Task<{ current: o.ControllerRevision; old: o.ControllerRevision[] }> {
  const revisions = listRevisions(kube, set)
  if (revisions.some(({ metadata }) => !metadata.ownerReferences?.some((ref) => ref.controller))) {
    const { error } = yield* recheckDeletion({ kube, ownerKind: DaemonSet, owner: set })
    if (error) throw error
    yield* adoptRevisions(kube, set, revisions)
  }
  const collisionCount = set.status.collisionCount ?? 0
  const shape = (revision: number) => revisionOf(set, { revision, collisionCount, hashLabel: HASH })
  const same = revisions.findLast((revision) => sameRevision(revision, shape(0)))
  const old = revisions.filter((revision) => !sameRevision(revision, shape(0)))
  const number = Math.max(0, ...old.map(({ revision }) => revision)) + 1
  if (!same) return { current: (yield* createRevision(kube, set, shape(number), collisionCount)).revision, old }
  return { current: same.revision < number ? yield* renumber(kube, same, number) : same, old }
}

/** Deletes the oldest revisions that no pod has, over the limit. */
function* cleanUpHistory(
  set: o.DaemonSet,
  old: readonly o.ControllerRevision[],
  { byNode }: Pass,
  kube: ControllerContext['kube'],
): Task {
  let excess = old.length - set.spec.revisionHistoryLimit
  if (excess <= 0) return
  const live = new Set([...byNode.values()].flat().map(({ metadata }) => metadata.labels?.[HASH]))
  for (const revision of old) {
    if (excess <= 0) return
    if (live.has(revision.metadata.labels?.[HASH])) continue
    yield* kube.delete(ControllerRevision, keyOf(revision))
    excess--
  }
}

/** Follows updateDaemonSetStatus. */
function* writeStatus(pass: Pass, observed: boolean): Task {
  const { set, context, key } = pass
  const { minReadySeconds = 0 } = set.spec
  const counts = countsOf(pass)
  const { kube, consistency } = context
  const held = set.status
  const wanted = (from: o.DaemonSet['status']): o.DaemonSet['status'] => ({
    ...from,
    ...counts,
    ...(observed ? { observedGeneration: set.metadata.generation } : {}),
  })
  if (!equal(wanted(held), held)) {
    let written: o.DaemonSet
    try {
      written = yield* kube.updateStatus(DaemonSet, { ...set, status: wanted(held) })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const fresh = yield* kube.read(DaemonSet, key)
      written = yield* kube.updateStatus(DaemonSet, { ...fresh, status: wanted(fresh.status) })
    }
    consistency.wrote({ key, uid: set.metadata.uid }, DaemonSet, written)
  }
  if (minReadySeconds > 0 && counts.numberReady !== (counts.numberAvailable ?? 0))
    context.queue.addAfter(key, seconds(minReadySeconds))
}

function countsOf(pass: Pass): o.DaemonSet['status'] {
  const { set, nodes, byNode, now } = pass
  let [desired, current, misplaced, ready, available, updated] = [0, 0, 0, 0, 0, 0]
  for (const node of nodes) {
    const pods = byNode.get(node.metadata.name) ?? []
    if (!judgeNode(set, node).shouldRun) {
      if (pods.length > 0) misplaced++
      continue
    }
    desired++
    const [pod] = pods
    if (!pod) continue
    current++
    if (isReady(pod)) ready++
    if (isReady(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, now)) available++
    if (isUpdated(pass, pod)) updated++
  }
  return {
    desiredNumberScheduled: desired,
    currentNumberScheduled: current,
    numberMisscheduled: misplaced,
    numberReady: ready,
    updatedNumberScheduled: updated || undefined,
    numberAvailable: available || undefined,
    numberUnavailable: desired - available || undefined,
  }
}

function queueWhenAvailable({ queue }: ControllerContext, set: o.DaemonSet, before: o.Pod, after: o.Pod): void {
  const { minReadySeconds = 0 } = set.spec
  if (minReadySeconds > 0 && !isReady(before) && isReady(after)) queue.addAfter(keyOf(set), seconds(minReadySeconds))
}
