import type { Container, Pod, PodSpec } from '../kube/objects.ts'
import { findContainer, type PodView } from './pod-runtime.ts'

/** Whether a container that ended with `exitCode` is started again. Follows pkg/api/v1/pod/util.go ContainerShouldRestart. */
export function restartsAfter(container: Container, spec: PodSpec, exitCode: number): boolean {
  switch (container.restartPolicy ?? spec.restartPolicy) {
    case 'Never':
      return false
    case 'OnFailure':
      return exitCode !== 0
    default:
      return true
  }
}

/** Whether the next sync should start it. Follows pkg/kubelet/container/helpers.go ShouldContainerBeRestarted. */
export function shouldBeStarted(container: Container, pod: Pod, view: PodView): boolean {
  if (pod.metadata.deletionTimestamp) return false
  const status = findContainer(view, container.name)
  if (!status) return true
  if (status.state === 'running') return false
  if (status.state === 'created') return true
  return restartsAfter(container, pod.spec, status.exitCode ?? 0)
}
