import { keyOf } from '../../kube/kinds.ts'
import type { Us } from '../../world/time.ts'
import type { PodInfo } from '../framework/pod-info.ts'

/** A pod that waits for a node. Follows pkg/scheduler/framework/types.go QueuedPodInfo. */
export interface QueuedPod {
  readonly key: string
  info: PodInfo
  /** When it was queued, or last failed. */
  timestamp: Us
  /** Tells apart what came at one time. */
  sequence: number
  attempts: number
  /** Cycles in which it fitted nowhere. */
  unschedulableCount: number
  /** Errors since the last of those. */
  consecutiveErrors: number
  backoffUntil: Us | undefined
  /** The plugins that rejected it. */
  rejectors: Set<string>
  /** The plugin that keeps it from being tried at all. */
  gate: string | undefined
}

export const queuedPod = (info: PodInfo, timestamp: Us, sequence: number): QueuedPod => ({
  key: keyOf(info.pod),
  info,
  timestamp,
  sequence,
  attempts: 0,
  unschedulableCount: 0,
  consecutiveErrors: 0,
  backoffUntil: undefined,
  rejectors: new Set(),
  gate: undefined,
})

/** Higher priority first, then earlier. Follows pkg/scheduler/framework/plugins/queuesort/priority_sort.go. */
export function comesFirst(a: QueuedPod, b: QueuedPod): boolean {
  if (a.info.priority !== b.info.priority) return a.info.priority > b.info.priority
  return a.timestamp < b.timestamp || (a.timestamp === b.timestamp && a.sequence < b.sequence)
}
