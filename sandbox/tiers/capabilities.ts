/** Fields of a pod template whose effect a tier must have an actor for. */
export type Feature =
  | 'probe.exec'
  | 'probe.grpc'
  | 'hook.exec'
  | 'hook.http'
  | 'init.command'
  | 'volume.persistent'
  /** A claim that is not among the manifests. */
  | 'volume.elsewhere'
  | 'schedule.podAffinity'
  | 'schedule.topologySpread'
  | 'schedule.hostPort'
  | 'schedule.profile'
  | 'schedule.gates'
  | 'schedule.dra'
  | 'schedule.runtimeClass'
  | 'schedule.queue'
  | 'pod.readinessGates'
  | 'network.mesh'

/** What a tier has actors for. */
export interface Capabilities {
  readonly tier: string
  /** Kinds that act or are acted on as in a cluster, as `deployments.apps`. */
  readonly kinds: ReadonlySet<string>
  readonly features: ReadonlySet<Feature>
}
