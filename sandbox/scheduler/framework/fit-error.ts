import type { NodeStatuses } from './status.ts'

/** Why a pod fits nowhere. */
export interface Diagnosis {
  readonly statuses: NodeStatuses
  /** The plugins that rejected the pod: what must change is what they look at. */
  readonly plugins: ReadonlySet<string>
  /** Set when the pod was rejected before any node was looked at. */
  readonly preFilterMessage?: string
  /** What preemption said. */
  readonly postFilterMessage?: string
}

/**
 * `0/4 nodes are available: 1 node(s) were unschedulable, 3 Insufficient nvidia.com/gpu. preemption: …`: the reasons with the
 * numbers of nodes that gave them, sorted as text. Follows pkg/scheduler/framework/types.go FitError.
 */
export function fitMessage(nodes: number, diagnosis: Diagnosis): string {
  let message = `0/${nodes} nodes are available:`
  if (diagnosis.preFilterMessage) {
    message += ` ${diagnosis.preFilterMessage}.`
  } else {
    const reasons = histogram(nodes, diagnosis.statuses)
    if (reasons.length > 0) message += ` ${reasons.join(', ')}.`
  }
  return diagnosis.postFilterMessage ? `${message} ${diagnosis.postFilterMessage}` : message
}

function histogram(nodes: number, statuses: NodeStatuses): string[] {
  const counts = new Map<string, number>()
  const add = (reasons: readonly string[], by: number) => {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + by)
  }
  for (const { reasons } of statuses.values()) add(reasons, 1)
  if (statuses.size < nodes) add(statuses.absent.reasons, nodes - statuses.size)
  return [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
}
