import { isApiError } from '../kube/errors.ts'
import { keyOf, Node, Pod } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { condition, isFinished } from '../kube/pods.ts'
import type { Task } from '../world/actor.ts'
import { seconds, toRfc3339, type Us } from '../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller } from './controller.ts'
import { requestAll } from './slow-start.ts'

/** Finished pods that are kept: upstream's default of `--terminated-pod-gc-threshold`. */
const FINISHED_KEPT = 12_500
const PERIOD = seconds(20)
/** How long a node that is missing from the cache may still turn up. */
const QUARANTINE = seconds(40)

const ROUND = 'round'

/**
 * Deletes pods nobody else would, every 20 s: those of nodes that are gone, those deleted before they had a node, those stuck on
 * nodes out of service, and the oldest of very many finished ones. One instance a running control plane.
 * Follows pkg/controller/podgc/gc_controller.go.
 */
export function podGarbageCollector(): ControllerSpec {
  /** When each missing node was first missed. */
  const missing = new Map<string, Us>()
  return controller({
    name: 'pod-garbage-collector',
    workers: 1,
    watches: [
      ({ kube, queue }) => {
        kube.watch(Pod, {})
        kube.watch(Node, {})
        queue.add(ROUND)
      },
    ],
    *reconcile(key, context) {
      const { kube, queue } = context
      queue.addAfter(key, PERIOD)
      const pods = kube.list(Pod)
      yield* requestAll(surplus(pods).map((pod) => () => failAndDelete(context, pod)))
      yield* requestAll(stuck(kube, pods).map((pod) => () => failAndDelete(context, pod)))
      const gone = yield* nodesGone(context, pods, missing)
      const orphans = pods.filter(({ spec }) => spec.nodeName && gone.has(spec.nodeName))
      yield* requestAll(orphans.map((pod) => () => failAndDelete(context, pod, orphaned(context.now))))
      const unscheduled = pods.filter(({ metadata, spec }) => metadata.deletionTimestamp && !spec.nodeName)
      yield* requestAll(unscheduled.map((pod) => () => failAndDelete(context, pod)))
    },
  })
}

/** The oldest finished pods beyond those that are kept, evicted ones first. */
function surplus(pods: readonly o.Pod[]): o.Pod[] {
  const finished = pods.filter(isFinished)
  if (finished.length <= FINISHED_KEPT) return []
  const evicted = ({ status }: o.Pod) => (status.phase === 'Failed' && status.reason === 'Evicted' ? 0 : 1)
  const order = ({ metadata }: o.Pod) => `${metadata.creationTimestamp}/${metadata.name}`
  return finished
    .sort((a, b) => evicted(a) - evicted(b) || (order(a) < order(b) ? -1 : 1))
    .slice(0, finished.length - FINISHED_KEPT)
}

/** Pods being deleted on a node that is not ready and marked as out of service. */
const stuck = (kube: Kube, pods: readonly o.Pod[]): o.Pod[] =>
  pods.filter(({ metadata, spec }) => {
    if (!metadata.deletionTimestamp) return false
    const node = kube.get(Node, spec.nodeName ?? '')
    const outOfService = node?.spec.taints?.some((taint) => taint.key === 'node.kubernetes.io/out-of-service')
    return node && outOfService && condition(node, 'Ready')?.status !== 'True'
  })

/** Nodes with pods that have been missing for a while and that the server does not have either. */
function* nodesGone(
  { kube, now }: ControllerContext,
  pods: readonly o.Pod[],
  missing: Map<string, Us>,
): Task<Set<string>> {
  const gone = new Set<string>()
  const named = new Set(pods.flatMap(({ spec }) => spec.nodeName || []))
  for (const name of missing.keys()) if (!named.has(name) || kube.get(Node, name)) missing.delete(name)
  for (const name of named) {
    if (kube.get(Node, name)) continue
    const since = missing.get(name) ?? now
    missing.set(name, since)
    if (now - since < QUARANTINE) continue
    try {
      yield* kube.read(Node, name)
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
      gone.add(name)
    }
    missing.delete(name)
  }
  return gone
}

const orphaned = (now: Us): o.Condition => ({
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
  lastTransitionTime: toRfc3339(now),
})

/** No kubelet will end this pod: it is said to have failed and taken away at once. */
function* failAndDelete({ kube }: ControllerContext, pod: o.Pod, because?: o.Condition): Task {
  const { uid } = pod.metadata
  if (!isFinished(pod)) {
    const others = (pod.status.conditions ?? []).filter((c) => c.type !== because?.type)
    const conditions = because ? [...others, because] : others
    const patch = { metadata: { uid }, status: { phase: 'Failed', conditions } }
    yield* kube.patch(Pod, keyOf(pod), patch, { subresource: 'status' })
  }
  yield* kube.delete(Pod, keyOf(pod), { gracePeriodSeconds: 0 })
}
