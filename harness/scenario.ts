import type { Feature } from '../sandbox/tiers/capabilities.ts'
import type { Expectation } from './expectations/check.ts'
import type { FaultCall } from './faults/fault.ts'
import type { LoadPlan } from './load/plan.ts'
import type { Parameter } from './parameters.ts'

/**
 * What is tested: a timeline of faults and changes, and what must hold while and after. JSON all the way down, so that it crosses files,
 * workers and tiers. Times are durations like `2m`, counted from the moment the platform has settled; `start` is before it is applied.
 */
export interface Scenario {
  readonly slug: string
  readonly title: string
  /** Who decides it: the user's manifests, the cluster's drivers and add-ons, or people at a drill. */
  readonly decidedBy: 'manifests' | 'cluster' | 'drill'
  /** Figures that a platform may set, by name; `$name` stands for one in what follows. */
  readonly parameters?: Readonly<Record<string, Parameter>>
  /** What a platform must have for it to apply. */
  readonly needs: readonly Need[]
  /** Fields of the pods that cannot change its verdict, so that it is given also where nothing simulates them. */
  readonly blindTo?: readonly Feature[]
  /** What clients send from the time the platform has settled: nothing, the user's workload, or a plan made of it. */
  readonly load: boolean | LoadPlan
  /** The load begins when the autoscaler has taken the server to no replica at all, at most so long after it settled. */
  readonly idleFor?: string
  /** Metrics of the server that are recorded while the load is on. */
  readonly samples?: readonly string[]
  /** The subject's own probes are taken away, but for one on `/health`: they are judged by scenarios of their own. */
  readonly withoutProbes?: boolean
  /** Nodes beyond the platform's own, where the failure is not about room. */
  readonly spareNodes?: number
  readonly timeline: readonly TimelineEntry[]
  /** Safety: judged from the first moment on. */
  readonly during: readonly Expectation[]
  /** Convergence: judged after the last entry and the healing. */
  readonly after: readonly Expectation[]
  /** How long to watch after the last entry when nothing is left to converge. */
  readonly watchFor: string
  /** An input whose breaking point is worth knowing: the verdict prints how far it is. */
  readonly margin?: Margin
}

export interface Need {
  readonly role: 'inference-server' | 'autoscaler' | 'gpus' | 'spot-nodes' | 'kv-pressure' | 'node-agents'
  /** Workload kinds it can be run on. */
  readonly kinds?: readonly string[]
  /** An autoscaler that goes to zero. */
  readonly toZero?: boolean
  /** An autoscaler that looks at a series of Prometheus, by whatever way. */
  readonly onSeries?: boolean
}

export interface TimelineEntry {
  readonly at: string
  readonly do: FaultCall
  /** How long it lasts; a failure without it is healed when the last entry is over. */
  readonly for?: string
  /** It is never healed: the platform must do without. */
  readonly stays?: boolean
}

export interface Margin {
  /** The input that is raised until the verdict flips. */
  readonly input: 'loadTime'
  /** Multiples of it that are tried and reported besides the breaking point. */
  readonly probe: readonly number[]
  readonly max: number
}

/** Declares a scenario. */
export const defineScenario = (scenario: Scenario): Scenario => scenario

export const inferenceServer = (options: { kinds?: readonly string[] } = {}): Need => ({
  role: 'inference-server',
  ...options,
})

/** A HorizontalPodAutoscaler or ScaledObject of the server that has somewhere to go. */
export const autoscaler = (options: { toZero?: boolean; onSeries?: boolean } = {}): Need => ({
  role: 'autoscaler',
  ...options,
})

/** Pods that ask for GPUs. */
export const gpus = (): Need => ({ role: 'gpus' })

/** A KV cache that its batch can outgrow. */
export const kvPressure = (): Need => ({ role: 'kv-pressure' })

/** Drivers, device plugins or what acts on sick nodes among the manifests: without them the cluster is not theirs to judge. */
export const nodeAgents = (): Need => ({ role: 'node-agents' })

/** Nodes the cloud may take back, as labels, tolerations or what acts on the notice say. */
export const spotNodes = (): Need => ({ role: 'spot-nodes' })

/** `at('2m', newImage())`. */
export const at = (
  time: string,
  call: FaultCall,
  lasting: Pick<TimelineEntry, 'for' | 'stays'> = {},
): TimelineEntry => ({ at: time, do: call, ...lasting })
