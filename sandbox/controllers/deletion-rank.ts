import type { Pod } from '../kube/objects.ts'
import { condition, isActive, isReady, maxRestarts } from '../kube/pods.ts'
import { fromRfc3339, type Us } from '../world/time.ts'

const PHASES: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }

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
  const rank = (pod: Pod) => onNode.get(pod.spec.nodeName ?? '') ?? 0
  return [...pods].sort((a, b) => compare(a, b, rank, now))
}

function compare(a: Pod, b: Pod, rank: (pod: Pod) => number, now: Us): number {
  const [assignedA, assignedB] = [Boolean(a.spec.nodeName), Boolean(b.spec.nodeName)]
  if (assignedA !== assignedB) return assignedA ? 1 : -1
  const phase = (PHASES[a.status.phase] ?? 0) - (PHASES[b.status.phase] ?? 0)
  if (phase !== 0) return phase
  const [readyA, readyB] = [isReady(a), isReady(b)]
  if (readyA !== readyB) return readyA ? 1 : -1
  const cost = deletionCost(a) - deletionCost(b)
  if (cost !== 0) return cost
  const doubled = rank(b) - rank(a)
  if (doubled !== 0) return doubled
  if (readyA) {
    const [sinceA, sinceB] = [readySince(a), readySince(b)]
    if (sinceA !== sinceB) return byLogarithm(a, b, sinceA, sinceB, now)
  }
  const restarts = maxRestarts(b) - maxRestarts(a)
  if (restarts !== 0) return restarts
  const [createdA, createdB] = [fromRfc3339(a.metadata.creationTimestamp), fromRfc3339(b.metadata.creationTimestamp)]
  return createdA === createdB ? 0 : byLogarithm(a, b, createdA, createdB, now)
}

/** Younger first, where ages within one power of two (of nanoseconds) count as equal and the uid decides. */
function byLogarithm(a: Pod, b: Pod, sinceA: Us, sinceB: Us, now: Us): number {
  const log = (since: Us) => (now > since ? Math.floor(Math.log2((now - since) * 1e3)) : -1)
  const difference = log(sinceA) - log(sinceB)
  if (difference !== 0) return difference
  return a.metadata.uid < b.metadata.uid ? -1 : 1
}

const readySince = (pod: Pod): Us => fromRfc3339(condition(pod, 'Ready')?.lastTransitionTime ?? '1970-01-01T00:00:00Z')

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost']
  return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0
}
