import type { SchedulerConfiguration } from '../scheduler/config/configuration.ts'

/** A kube-scheduler that runs in the cluster. Plain values. */
export interface SchedulerProcess {
  /** `kube-scheduler` is the cluster's own; others have a name behind it: `kube-scheduler/gpu-packing`. */
  readonly process: string
  /** Upstream's default profile where it is left out. */
  readonly configuration?: SchedulerConfiguration
  /** The KubeSchedulerConfiguration it was read from, as a real kube-scheduler takes it. */
  readonly document?: Readonly<Record<string, unknown>>
}
