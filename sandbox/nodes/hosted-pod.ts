import type { Pod, PodStatus } from '../kube/objects.ts'
import type { KubeletContext } from './kubelet-context.ts'
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

/** A pod and its containers, to those who ask the kubelet for them. */
export function hostedPod(
  { pod, runtime }: { readonly pod: Pod; readonly runtime: PodRuntime },
  { statuses, devices, deviceLost }: Pick<KubeletContext, 'statuses' | 'devices' | 'deviceLost'>,
): HostedPod {
  const { uid } = pod.metadata
  return {
    ...{ pod, runtime },
    status: statuses.get(uid) ?? pod.status,
    devices: (container) => devices.of(uid, container).map((id) => ({ id, lost: deviceLost(id) })),
  }
}
