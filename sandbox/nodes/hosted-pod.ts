import type { Pod, PodStatus } from '../kube/objects.ts'
import type { PodRuntime } from './pod-runtime.ts'

/** A pod as the kubelet that runs it knows it. */
export interface HostedPod {
  readonly pod: Pod
  /** As the kubelet last worked it out; the API server may not have it yet. */
  readonly status: PodStatus
  readonly runtime: PodRuntime
  /** The GPUs of a container, in order. `lost`: off the bus. */
  devices(container: string): readonly { readonly id: string; readonly lost: boolean }[]
}
