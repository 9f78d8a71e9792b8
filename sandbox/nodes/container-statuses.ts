import type { Container, ContainerState, ContainerStatus, Pod } from '../kube/objects.ts'
import { toRfc3339 } from '../world/time.ts'
import type { StartFailure } from './images.ts'
import { type ContainerView, findContainer, type PodView } from './pod-runtime.ts'
import { shouldBeStarted } from './restart-policy.ts'

/**
 * API statuses of a pod's regular or init containers. `reasons`: why the last sync could not start some.
 * Follows pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses.
 */
export function containerStatuses(options: {
  pod: Pod
  view: PodView
  containers: readonly Container[]
  previous: readonly ContainerStatus[]
  reasons: ReadonlyMap<string, StartFailure>
  init: boolean
}): ContainerStatus[] {
  const { pod, view, containers, previous } = options
  const waitingReason = (pod.spec.initContainers?.length ?? 0) > 0 ? 'PodInitializing' : 'ContainerCreating'
  return containers.map((container) => {
    const old = previous.find((s) => s.name === container.name)
    const seen = view.containers.filter((c) => c.name === container.name)
    let status = seen[0] ? fromRuntime(seen[0], old) : unseen(container, old, waitingReason, pod)
    if (seen[1]) status = { ...status, lastState: stateOf(seen[1]) }
    const finished = options.init && seen[0]?.state === 'exited' && seen[0].exitCode === 0
    if (finished || !shouldBeStarted(container, pod, view)) return status
    const failure = options.reasons.get(container.name)
    if (!failure) return status
    return {
      ...status,
      lastState: status.state.terminated ? status.state : status.lastState,
      state: { waiting: { reason: failure.reason, ...(failure.message ? { message: failure.message } : {}) } },
    }
  })
}

/** No instance in the runtime: waiting, or what was said of it before. */
function unseen(container: Container, old: ContainerStatus | undefined, reason: string, pod: Pod): ContainerStatus {
  const blank: ContainerStatus = {
    name: container.name,
    image: container.image,
    imageID: '',
    ready: false,
    started: false,
    restartCount: old?.restartCount ?? 0,
    state: { waiting: { reason } },
    lastState: old?.lastState ?? {},
  }
  if (old?.state.terminated) return { ...old, ready: false }
  if (!old?.state.running || blank.lastState.terminated) return blank
  return {
    ...blank,
    restartCount: blank.restartCount + (pod.metadata.deletionTimestamp ? 0 : 1),
    lastState: {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was deleted.  The container used to be Running',
      },
    },
  }
}

function fromRuntime(view: ContainerView, old: ContainerStatus | undefined): ContainerStatus {
  let lastState: ContainerState = {}
  if (old) {
    if (old.containerID !== view.id && old.state.terminated) lastState = { terminated: old.state.terminated }
    else if (old.lastState.terminated) lastState = { terminated: old.lastState.terminated }
  }
  return {
    name: view.name,
    image: view.image,
    imageID: view.imageID,
    containerID: view.id,
    ready: false,
    started: view.state === 'running' ? (old?.started ?? false) : false,
    restartCount: Math.max(view.restartCount, old?.restartCount ?? 0),
    state: stateOf(view),
    lastState,
  }
}

function stateOf(view: ContainerView): ContainerState {
  if (view.state === 'running') return { running: { startedAt: toRfc3339(view.startedAt ?? 0) } }
  if (view.state === 'created') return { waiting: {} }
  return {
    terminated: {
      exitCode: view.exitCode ?? 0,
      ...(view.reason ? { reason: view.reason } : {}),
      startedAt: toRfc3339(view.startedAt ?? 0),
      finishedAt: toRfc3339(view.finishedAt ?? 0),
      containerID: view.id,
    },
  }
}

/** Whether a regular container exists in the present sandbox. */
export const anyRegularStarted = (pod: Pod, view: PodView): boolean =>
  view.sandbox === 'ready' && pod.spec.containers.some((c) => findContainer(view, c.name) !== undefined)
