import type { LagProfile } from '../sandbox/kube/lag.ts'
import type { Draft, KubeObject } from '../sandbox/kube/objects.ts'
import type { EntryPoint } from '../sandbox/network/gateway/entry.ts'
import type { MonitoringOptions } from '../sandbox/tiers/monitoring-options.ts'
import type { KarpenterTierOptions, NodeAutoscalerOptions } from '../sandbox/tiers/node-autoscaler-options.ts'
import type { SchedulerProcess } from '../sandbox/tiers/scheduler-options.ts'
import type { NodeGroup, ProgramFor } from '../sandbox/tiers/tier.ts'
import type { Us } from '../sandbox/world/time.ts'
import type { SurveyedAlert } from './alerts/survey.ts'
import type { GpuPrices } from './cost/prices.ts'
import type { Workload } from './load/workload.ts'
import type { Slos } from './slo/objective.ts'
import type { Subject } from './subject.ts'

/** All a trial is made from, as plain values: nothing here is a guess any more. */
export interface Setup {
  readonly objects: readonly Draft<KubeObject>[]
  readonly subject: Subject
  /** How clients come in; undefined: straight to the subject’s pods. */
  readonly entry?: EntryPoint
  readonly nodes: readonly NodeGroup[]
  /** The group of nodes the subject's pods may go to; undefined when there is none. */
  readonly pool: string | undefined
  readonly programFor: ProgramFor
  readonly imageBytes: (image: string) => number
  readonly registryBytesPerSecond: number
  readonly workload: Workload
  /** Requests a second that one replica can serve of such a workload; 0 when none. */
  readonly capacityOf: (workload: Workload) => number
  /** Tokens of the server's cache blocks. */
  readonly kvBlockTokens: number
  /** What was promised to clients. */
  readonly slos: Slos
  readonly prices: GpuPrices
  /** The model name clients send. */
  readonly model: string
  /** Replicas the workload needs. */
  readonly replicasNeeded: number
  /** From a pod's creation on a node without the image until its server is loaded. */
  readonly startUs: Us
  /** How long the platform may take to settle before something is wrong with it, when starts take `stretch` times as long. */
  readonly settleBound: (stretch: number) => Us
  readonly lag: LagProfile
  /** What one replica's KV cache holds, and the most requests it runs at once; undefined where it does not start. */
  readonly kvCache: { readonly tokens: number; readonly maxRequests: number; readonly maxTokens: number } | undefined
  /** What measures the cluster and tells its autoscalers. */
  readonly monitoring: MonitoringOptions
  /** The alerts of the platform. */
  readonly alerts: readonly SurveyedAlert[]
  /** What adds and removes nodes; undefined: nothing does. */
  readonly nodeAutoscaler?: NodeAutoscalerOptions
  /** Buys nodes by the platform's NodePools; undefined: it has none. */
  readonly karpenter?: KarpenterTierOptions
  /** The kube-schedulers; undefined: one with upstream's default profile. */
  readonly schedulers?: readonly SchedulerProcess[]
  /** Replicas the subject's autoscaler may make; undefined where it has none. */
  readonly maxReplicas: number | undefined
  /** The inputs as they enter the journal's header. */
  readonly inputs: unknown
}
