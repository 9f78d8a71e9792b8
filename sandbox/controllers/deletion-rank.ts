import type { Pod } from '../kube/objects.ts'
import { condition, isActive, isReady } from '../kube/pods.ts'
import { fromRfc3339, type Us } from '../world/time.ts'

const PHASES: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }

/** What pods are compared by, worked out once a pod. */
interface Ranked {
  readonly pod: Pod
  readonly assigned: boolean
  readonly phase: number
  readonly ready: boolean
  readonly cost: number
  /** Active pods of the related sets on the same node. */
  readonly neighbours: number
  readonly readySince: Us | undefined
  readonly restarts: readonly [regular: number, sidecar: number]
  readonly createdAt: Us
}

/**
 * Pods in the order in which a ReplicaSet gives them up: unassigned, pending, not ready, cheap, doubled up on a node, lately ready,
 * often restarted, young. `related` are the pods of all ReplicaSets with the same owner.
 * Follows ActivePodsWithRanks.Less in pkg/controller/controller_utils.go, with LogarithmicScaleDown and PodDeletionCost on.
 */
export function rankForDeletion(pods: readonly Pod[], related: readonly Pod[], now: Us): Pod[] {
  const onNode = new Map<string, number>()
  for (const pod of related) {
    if (!isActive(pod)) continue
    const node = pod.spec.nodeName ?? ''
    onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => rankOf(pod, onNode.get(pod.spec.nodeName ?? '') ?? 0))
  return ranked.sort((a, b) => compare(a, b, now)).map(({ pod }) => pod)
}

function rankOf(pod: Pod, neighbours: number): Ranked {
  const ready = isReady(pod)
  const since = ready ? condition(pod, 'Ready')!.lastTransitionTime : undefined
  return {
    pod,
    assigned: Boolean(pod.spec.nodeName),
    phase: PHASES[pod.status.phase] ?? 0,
    ready,
    cost: deletionCost(pod),
    neighbours,
    readySince: since === undefined ? undefined : fromRfc3339(since),
    restarts: restartsOf(pod),
    createdAt: fromRfc3339(pod.metadata.creationTimestamp),
  }
}

function compare(a: Ranked, b: Ranked, now: Us): number {
  if (a.assigned !== b.assigned) return a.assigned ? 1 : -1
  if (a.phase !== b.phase) return a.phase - b.phase
  if (a.ready !== b.ready) return a.ready ? 1 : -1
  if (a.cost !== b.cost) return a.cost - b.cost
  if (a.neighbours !== b.neighbours) return b.neighbours - a.neighbours
  if (a.ready && a.readySince !== b.readySince) return byLogarithm(a, b, a.readySince, b.readySince, now)
  if (a.restarts[0] !== b.restarts[0]) return b.restarts[0] - a.restarts[0]
  if (a.restarts[1] !== b.restarts[1]) return b.restarts[1] - a.restarts[1]
  return a.createdAt === b.createdAt ? 0 : byLogarithm(a, b, a.createdAt, b.createdAt, now)
}

/** Younger first, where ages within one power of two (of nanoseconds) count as equal and the uid decides; unknown ages first. */
function byLogarithm(a: Ranked, b: Ranked, since: Us | undefined, other: Us | undefined, now: Us): number {
  if (since === undefined || other === undefined) return since === undefined ? -1 : 1
  const log = (from: Us) => (now > from ? Math.floor(Math.log2((now - from) * 1e3)) : -1)
  const difference = log(since) - log(other)
  if (difference !== 0) return difference
  return a.pod.metadata.uid < b.pod.metadata.uid ? -1 : 1
}

/** The most restarts of a regular container, and of a sidecar. */
function restartsOf({ spec, status }: Pod): [number, number] {
  const sidecars = new Set((spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name))
  const most = (counts: readonly { restartCount: number }[]) => counts.reduce((n, c) => Math.max(n, c.restartCount), 0)
  return [
    most(status.containerStatuses ?? []),
    sidecars.size === 0 ? 0 : most((status.initContainerStatuses ?? []).filter((c) => sidecars.has(c.name))),
  ]
}

const INT32 = 2 ** 31

// follows GetDeletionCostFromPodAnnotations in pkg/apis/core/helper/helpers.go
function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost']
  if (text === undefined || !/^(0|-\d+|[1-9]\d*)$/.test(text)) return 0
  const cost = Number(text)
  return cost >= -INT32 && cost < INT32 ? cost : 0
}
