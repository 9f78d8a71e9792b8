import type { ContainerStatus, PodStatus } from '../../kube/objects.ts'
import type { HostedPod } from '../hosted-pod.ts'
import type { ContainerView } from '../pod-runtime.ts'

/** Why there is nothing to read; the message is what the client is told. */
export class NoLog extends Error {
  override readonly name = 'NoLog'
}

/** The instance of a container whose output is asked for. Throws a `NoLog`. */
// follows validateContainerLogStatus of pkg/kubelet/kubelet_pods.go
export function logSource({ pod, status, runtime }: HostedPod, container: string, previous: boolean): ContainerView {
  const { name } = pod.metadata
  const id = containerId(status, name, container, previous)
  const found = runtime.containers.find(({ view }) => view.id === id)
  if (!found)
    throw new NoLog(`failed to try resolving symlinks in path "/var/log/pods/${name}": no such file or directory`)
  return found.view
}

function containerId(status: PodStatus, pod: string, container: string, previous: boolean): string {
  const named = ({ name }: ContainerStatus) => name === container
  const own = status.containerStatuses?.find(named) ?? status.initContainerStatuses?.find(named)
  if (!own) throw new NoLog(`container "${container}" in pod "${pod}" is not available`)
  const { waiting, running, terminated } = own.state
  const last = own.lastState.terminated
  if (previous) {
    if (!last?.containerID) throw new NoLog(`previous terminated container "${container}" in pod "${pod}" not found`)
    return last.containerID
  }
  if (running) return own.containerID!
  const ended = terminated?.containerID || last?.containerID
  if (ended) return ended
  if (terminated || last) throw new NoLog(`container "${container}" in pod "${pod}" is terminated`)
  throw new NoLog(`container "${container}" in pod "${pod}" is waiting to start${why(waiting?.reason)}`)
}

function why(reason: string | undefined): string {
  if (reason === undefined) return ' - no logs yet'
  if (reason === 'ErrImagePull') return ": image can't be pulled"
  if (reason === 'ImagePullBackOff') return ': trying and failing to pull image'
  return `: ${reason}`
}
