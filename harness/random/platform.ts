import type { MonitoringOptions } from '../../sandbox/tiers/monitoring-options.ts'
import type { NodeAutoscalerOptions } from '../../sandbox/tiers/node-autoscaler-options.ts'
import type { NodeGroup } from '../../sandbox/tiers/tier.ts'
import type { Us } from '../../sandbox/world/time.ts'

/** A platform nobody wrote, and what it stands on. Plain values: it is printed, shrunk and read back. */
export interface RandomPlatform {
  readonly nodes: readonly NodeGroup[]
  /** In the order in which they are applied. */
  readonly objects: readonly Manifest[]
  readonly monitoring: MonitoringOptions
  readonly nodeAutoscaler?: NodeAutoscalerOptions
  readonly workloads: readonly RandomWorkload[]
  readonly imageBytes: number
  readonly registryBytesPerSecond: number
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> }
  readonly [field: string]: unknown
}

/** What the generator knows of a workload it made. */
export interface RandomWorkload {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job'
  readonly namespace: string
  readonly name: string
  readonly server: boolean
  /** Nothing in it keeps its pods from becoming Ready, once they run on a node. */
  readonly sound: boolean
  readonly loadTimeUs: Us
  /** Requests a second that clients send it; 0 for none. */
  readonly requestsPerSecond: number
  /** The port of the Service of its name; undefined where it has none. */
  readonly servicePort?: number
}

/** What is done to a platform and when; times count from the first apply. */
export interface Plan {
  readonly faults: readonly PlannedFault[]
  readonly lag: string
  /** When the last fault has been healed. */
  readonly healedAtUs: Us
}

export type FaultKind = (typeof faultKinds)[number]

export const faultKinds = [
  ...(['pod-delete', 'pod-delete-now', 'process-kill', 'evict', 'node-power', 'node-network', 'node-reclaim'] as const),
  ...(['gpu-xid', 'drain', 'cordon', 'rollout', 'scale', 'workload-delete', 'engine-hang', 'slow-weights'] as const),
  ...(['drain-many', 'evict-burst', 'preempt', 'budget-change', 'rollout-node-loss', 'node-reclaim-told'] as const),
  ...(['registry-slow', 'metrics-apis-down', 'prometheus-down', 'scrapes-down', 'series-gone'] as const),
] as const

export interface PlannedFault {
  readonly kind: FaultKind
  readonly atUs: Us
  /** How long it lasts, where it is healed. */
  readonly forUs: Us
  /** Which of the things it could befall, from 0 to 1. */
  readonly which: number
  /** How hard, from 0 to 1. */
  readonly strength: number
}

export const keyOfWorkload = ({ namespace, name }: Pick<RandomWorkload, 'namespace' | 'name'>): string =>
  `${namespace}/${name}`
