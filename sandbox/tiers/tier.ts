import type { DeschedulerOptions } from '../controllers/descheduler.ts'
import type { Kube } from '../kube/kube.ts'
import type { LagProfile } from '../kube/lag.ts'
import type { Container, Draft, KubeObject, Pod } from '../kube/objects.ts'
import type { MetricFamily } from '../metrics/sample.ts'
import type { EntryPoint } from '../network/gateway/entry.ts'
import type { InferenceObserver, InferenceRequest, Program } from '../nodes/program.ts'
import type { Task } from '../world/actor.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Capabilities } from './capabilities.ts'
import type { MonitoringOptions } from './monitoring-options.ts'
import type { KarpenterTierOptions, NodeAutoscalerOptions } from './node-autoscaler-options.ts'
import type { SchedulerProcess } from './scheduler-options.ts'

/** A kind of place to run platforms in. Adding one is adding a folder under `tiers/`. */
export interface Tier {
  readonly name: string
  /** The kinds and fields that act here as in a cluster. */
  readonly capabilities: Capabilities
  /** The levers its sandboxes have. */
  readonly levers: readonly (keyof Levers)[]
  /** What is missing on this machine, and how to get it. Empty: ready to use. */
  available(): Promise<readonly Missing[]>
  /** What would be made, for people to read; nothing is made. */
  plan(options: SandboxOptions): readonly string[]
  up(options: SandboxOptions): Promise<Sandbox>
}

export interface Missing {
  readonly what: string
  readonly fix: string
}

/** What a sandbox is made of, besides what is applied to it later. */
export interface SandboxOptions {
  readonly seed: number
  readonly nodes: readonly NodeGroup[]
  /** What a container runs; asked once a container. */
  readonly programFor: ProgramFor
  readonly imageBytes: (image: string) => number
  readonly registryBytesPerSecond: number
  readonly lag: LagProfile
  /** What measures the cluster and tells its autoscalers; nothing where it is left out. */
  readonly monitoring?: MonitoringOptions
  /** What sends pods away that restart over and over; nobody where it is left out. */
  readonly descheduler?: DeschedulerOptions
  /** What adds and removes nodes; nothing where it is left out. */
  readonly nodeAutoscaler?: NodeAutoscalerOptions
  /** Buys nodes by the NodePools of the cluster; nobody does where it is left out. */
  readonly karpenter?: KarpenterTierOptions
  /** The kube-schedulers; one with upstream's default profile where it is left out. */
  readonly schedulers?: readonly SchedulerProcess[]
  /** What will be applied. A tier that cannot take it without more makes room for it: namespaces, definitions of custom resources. */
  readonly objects?: readonly Draft<KubeObject>[]
}

/** `on`: the node the container starts on, as far as programs differ by it. */
export type ProgramFor = (pod: Pod, container: Container, on?: { readonly gpuProduct?: string }) => Program

/** Nodes that are alike. */
export interface NodeGroup {
  readonly name: string
  readonly count: number
  /** Such nodes are bought by this NodePool; `count` are there at the start. */
  readonly nodePool?: string
  /** Set where a node autoscaler may change the number. */
  readonly min?: number
  readonly max?: number
  /** Kubernetes quantities: `64`, `512Gi`. */
  readonly cpu: string
  readonly memory: string
  readonly gpu?: { readonly product: string; readonly memoryBytes: number; readonly count: number }
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly { key: string; value?: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }[]
  /** Images already on the node. */
  readonly images?: readonly string[]
}

/** A running place: a cluster, a world with a clock, and ways to disturb it. */
export interface Sandbox {
  readonly world: World
  /** The client of whoever stands outside the cluster: `kubectl`. */
  readonly kube: Kube
  readonly levers: Levers
  /** Moves time on to `until`: at once on a virtual clock. */
  runUntil(until: Us): Promise<void>
  /** Runs a task of the harness to its end, moving time as needed. Throws the task's error. */
  run<T>(name: string, task: Task<T>): Promise<T>
  /** How clients reach a Service, or a pod of a workload without one. */
  reach(serviceKey: string, port: number): Route
  /** How clients come in by the way a platform declares. Throws a RangeError for a controller nobody here knows. */
  enter(point: EntryPoint): Route
  /** What a pod exposes now on a port under `/metrics`, of these names; nothing where it does not listen. */
  exposed(pod: Pod, port: number, names: ReadonlySet<string>): readonly MetricFamily[]
  /** What autoscalers and other actors rested on and is not simulated, one line each: a verdict that may depend on it is INVALID. */
  refusals(): readonly string[]
  /** Why nothing that went on here may be trusted, and what to do; undefined, or left out: it may. */
  unsound?(): Missing | undefined
  /** Removes exactly what `up` made. */
  close(): Promise<void>
}

/** What is done on the notice that a machine will be taken away. Nothing, where there is none. */
export type NoticeHandling =
  /** AWS Node Termination Handler and the like: the node gets a taint and is drained, so long after the notice. */
  | {
      readonly kind: 'drain'
      readonly reactsAfter?: Us
      readonly taintKey?: string
      /** Karpenter: where it made the node, it deletes the NodeClaim, and does not ask for such a machine again for a while. */
      readonly byClaim?: true
    }
  /** The kubelet's graceful node shutdown: pods end in order, critical ones last, within these times. */
  | { readonly kind: 'graceful-shutdown'; readonly gracePeriod: Us; readonly criticalGracePeriod: Us }

/** A way to a service, as an entry node sees it through its kube-proxy. */
export interface Route {
  /** Sends a request now; the observer is told its fate. Returns how the client hangs up. */
  send(request: InferenceRequest, observer: InferenceObserver & { routed?(podKey: string): void }): () => void
}

/**
 * What a tier can do to its world. A lever a tier lacks is absent, and faults that need it are SKIPPED there.
 * Each call takes effect at once and returns how to undo it.
 */
export interface Levers {
  /** Containers of matching pods that start from now on load their weights `factor` times slower. */
  readonly 'engine.loadFactor'?: (match: (pod: Pod) => boolean, factor: number) => () => void
  /** The engines of matching pods that run now stop stepping while `/health` still answers 200; new processes are well. */
  readonly 'engine.hang'?: (match: (pod: Pod) => boolean) => () => void
  /** A container's main process dies with SIGKILL. Undoing does nothing. */
  readonly 'pod.process'?: (podKey: string, container: string) => () => void
  /** The node goes dark: everything on it stops at once and says nothing. Undone: it boots again under its name, empty. */
  readonly 'node.power'?: (node: string) => () => void
  /** The node and its pods can neither reach nor be reached; what runs on it goes on. */
  readonly 'node.network'?: (node: string) => () => void
  /** The cloud takes the node's machine back for good, after a notice of this long; who acts on it is told. Undoing does nothing. */
  readonly 'node.reclaim'?: (node: string, notice: Us, handling?: NoticeHandling) => () => void
  /** The cloud has none of such machines any more: `type`, `type/zone` or `type/zone/capacity type`, where `*` stands for any. */
  readonly 'cloud.capacity'?: (offering: string) => () => void
  /** What the driver says of one GPU (by index, or the first a pod holds) after an Xid: 79 off the bus, 94 contained. */
  readonly 'gpu.health'?: (
    node: string,
    gpu: number | { readonly ofPodUid: string },
    failure: { readonly xid: number },
  ) => () => void
  /** A part of the way from metrics to autoscalers answers nothing: the metrics APIs, Prometheus itself, or its scrapes of matching pods. */
  readonly 'metrics.path'?: (part: 'metrics-apis' | 'prometheus' | { scrapes: (pod: Pod) => boolean }) => () => void
  /** Series of matching pods are no longer exposed although the scrape succeeds. */
  readonly 'metrics.series'?: (match: (metric: string, pod: Pod) => boolean) => () => void
  /** The registry serves images at `factor` times its bandwidth. */
  readonly 'registry.bandwidth'?: (factor: number) => () => void
}
