import type { KubeObject, Node, Pod } from '../../kube/objects.ts'

/** A cluster with a pod to be placed, as fixtures/oracles/scheduler takes it. */
export interface SchedulingCase {
  /** A KubeSchedulerConfiguration of one profile. */
  readonly configuration: Readonly<Record<string, unknown>>
  /** All there is, the pod included. */
  readonly objects: readonly KubeObject[]
  /** The key of the pod in question. */
  readonly pod: string
  /** With it the question is whether the pod would be tried again after that; without, where it goes. */
  readonly change?: Change
}

/** A node, a pod or an object of storage that came (`after` alone), went (`before` alone) or was updated. */
export interface Change {
  readonly nodeBefore?: Node
  readonly nodeAfter?: Node
  readonly podBefore?: Pod
  readonly podAfter?: Pod
  readonly storageBefore?: KubeObject
  readonly storageAfter?: KubeObject
}

/** What was decided about a pod, and why. */
export interface SchedulingAnswer {
  /** What ended the cycle. */
  error?: string
  choice?: string
  /** What is bound for the pod there: `volume=claim`; `claim@node` where a volume is to be made. */
  bound?: string[]
  /** Of the event FailedScheduling, and the plugins that rejected the pod. */
  message?: string
  plugins?: string[]
  /** By node what kept the pod away; a node without is feasible. */
  statuses?: Record<string, NodeStatus>
  /** By node and plugin, weighted, with their `total`. */
  scores?: Record<string, Record<string, number>>
  /** The promised node; empty: a promise is taken back; absent: it stays as it is. */
  nominated?: string
  /** The pods that were deleted for it, sorted. */
  victims?: string[]
  /** The pods that lost the node they were promised to it, sorted. */
  cleared?: string[]
  candidates?: PreemptionCandidate[]
}

export interface NodeStatus {
  readonly code: string
  readonly plugin: string
  readonly reasons: readonly string[] | null
}

/** A node where the pod would fit without some of its pods, the most important first. */
export interface PreemptionCandidate {
  readonly node: string
  readonly victims: readonly string[]
  readonly violations: number
}

/** What a change means for a pod that waits: its kinds as bits, and the plugins that would have the pod tried again. */
export interface HintAnswer {
  readonly actions: readonly number[]
  readonly plugins: readonly string[]
}
