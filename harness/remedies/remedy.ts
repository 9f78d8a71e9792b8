import type * as o from '../../sandbox/kube/objects.ts'
import { toSeconds, type Us } from '../../sandbox/world/time.ts'
import type { Broken } from '../expectations/check.ts'
import type { Manifest } from '../platform/platform.ts'
import type { SignalFinding } from '../platform/roles/autoscaling/findings.ts'
import type { QueueSignal } from '../platform/roles/autoscaling/queue-signal.ts'
import type { Scaling } from '../platform/roles/autoscaling/scaling.ts'
import type { Server } from '../server.ts'
import type { Setup } from '../setup.ts'
import type { Subject } from '../subject.ts'

/** What a remedy may look at. */
export interface RemedyContext {
  readonly broken: Broken
  readonly subject: Subject
  /** The workload as the API server defaulted it. */
  readonly deployment: o.Deployment
  /** The same as it is written. */
  readonly written: Manifest
  /** Objects of the platform that have to do with it. */
  readonly related: Related
  /** What decides how many replicas there are; undefined: nothing does. */
  readonly scaling: Scaling | undefined
  /** What is wrong with what the autoscaler looks at, as far as the manifests tell. */
  signalFindings(): readonly SignalFinding[]
  /** By what ways an autoscaler of the platform could see a queue. */
  readonly queueSignal: QueueSignal
  /** Exporters of the cluster that a Prometheus scrapes. */
  readonly exporters: ReadonlySet<string>
  /** The server as its flags were read. */
  readonly server: Server
  /** The names by which pods get a scheduler. */
  readonly schedulers: readonly string[]
  /** Loading, from the start of the container to Ready, in the trial that failed. */
  readonly loadTimeUs: Us
  /** Names of the faults of the scenario that failed. */
  readonly faults: readonly string[]
  /** All the trial was made from. */
  setup(): Setup
}

/** What scales, protects, exposes and routes to the subject. */
export interface Related {
  readonly scalers: readonly RelatedObject[]
  readonly disruptionBudgets: readonly RelatedObject[]
  /** ResourceQuotas of its namespace. */
  readonly quotas: readonly RelatedObject[]
  readonly services: readonly RelatedObject[]
  readonly routes: readonly RelatedObject[]
  /** By which Karpenter buys nodes; the greatest weight first. */
  readonly nodePools: readonly RelatedObject[]
  /** PrometheusRules with alerts. */
  readonly alertRules: readonly RelatedObject[]
  /** The ConfigMap of a descheduler's policy, and the key under which it stands there. */
  readonly policy?: RelatedObject & { readonly key: string }
}

/** An object as it is written. */
export interface RelatedObject {
  /** Its id, for changes and positions: `HorizontalPodAutoscaler/chat`. */
  readonly id: string
  readonly manifest: Manifest
}

/** A field set to a value; `undefined` takes it away. */
export interface FieldChange {
  /** The id of the object; the subject's own where it is left out. */
  readonly object?: string
  readonly path: string
  readonly value: unknown
}

/** A change worth trying. It is printed only when the trial passes with it. */
export interface Candidate {
  /** `maxSurge: 0, maxUnavailable: 1`. */
  readonly says: string
  readonly changes?: readonly FieldChange[]
  /** Objects to add, in a file of their own. */
  readonly adds?: AddedObjects
  /** Nodes to add to the cluster, where no manifest can help. */
  readonly moreNodes?: number
}

/** Whole objects, as a user would write them. */
export interface AddedObjects {
  /** The file's, without its folder and ending: `chat-budget`. */
  readonly name: string
  readonly objects: readonly Manifest[]
}

/** What people do where no change of the manifests helps. Nothing of it is tried. */
export interface ByHand {
  /** When to do what, in a sentence. */
  readonly says: string
  /** Lines of a shell, with names in capitals to fill in. */
  readonly commands: readonly string[]
}

/** Where the cause stands in the manifest, what is wrong there, and what to try, best first. */
export interface Diagnosis {
  /** The id of the object in whose manifest it stands; the subject's own where it is left out. */
  readonly object?: string
  readonly path: string
  readonly says: string
  readonly candidates: readonly Candidate[]
  /** A guess: it is the cause only where one of the candidates passes, and not said otherwise. */
  readonly guess?: true
  /** Said where none of the candidates passes. */
  readonly byHand?: ByHand
}

/** Knows one kind of cause. Adding one is adding a file beside this one. */
export interface Remedy {
  readonly causes: readonly string[]
  diagnose(context: RemedyContext): Diagnosis | undefined
}

export const remedy = (spec: Remedy): Remedy => spec

/** `spec.template.spec.containers[1]` of the subject's server. */
export const containerPath = (context: RemedyContext): string =>
  `spec.template.spec.containers[${indexOf(context, context.subject.container)}]`

export const serverContainer = ({ deployment, subject }: RemedyContext) =>
  deployment.spec.template.spec.containers.find((c) => c.name === subject.container)!

/** The container that a probe had killed, and where it stands: the server's, or another of its pods. */
export function killedContainer(context: RemedyContext): { readonly container: o.Container; readonly path: string } {
  const { containers } = context.deployment.spec.template.spec
  const at = Math.max(0, indexOf(context, context.broken.container ?? context.subject.container))
  return { container: containers[at]!, path: `spec.template.spec.containers[${at}]` }
}

const indexOf = ({ deployment }: RemedyContext, container: string): number =>
  deployment.spec.template.spec.containers.findIndex((c) => c.name === container)

export const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const
export type ProbeName = (typeof PROBES)[number]

/** The change that makes a Deployment roll within these bounds. */
export const rollingUpdate = (maxSurge: number, maxUnavailable: number): FieldChange => ({
  path: 'spec.strategy',
  value: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
})

/** What the scheduler found too little of on the most nodes, by its message: `nvidia.com/gpu`. */
export function missingResource({ evidence }: Broken): string | undefined {
  const lacks = [...(evidence[0]?.text ?? '').matchAll(/(\d+) Insufficient (\S+?)[.,](?=\s|$)/g)]
  const most = Math.max(...lacks.map(([, nodes]) => Number(nodes)))
  return lacks.find(([, nodes]) => Number(nodes) === most)?.[2]
}

/** Loading may well take twice as long on a busy day. */
const HEADROOM = 2

/** Failures a probe must stand, asked every `periodSeconds`, until the weights are loaded. */
export const failuresWhileLoading = (loadTimeUs: Us, periodSeconds: number): number =>
  Math.ceil((HEADROOM * toSeconds(loadTimeUs)) / periodSeconds)
