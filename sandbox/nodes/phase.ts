import type { ContainerStatus, Pod, PodStatus } from '../kube/objects.ts'
import { isSidecar } from './pod-runtime.ts'
import { restartsAfter } from './restart-policy.ts'

interface Counts {
  pendingInit: number
  pendingSidecars: number
  failedForGood: boolean
  unknown: number
  running: number
  waiting: number
  stopped: number
  stoppedForGood: number
  succeeded: number
}

/**
 * The phase of a pod from its container statuses. `terminal`: nothing will be started any more. `initialized`: a regular container
 * has been started in the present sandbox. Follows pkg/kubelet/kubelet_pods.go getPhase.
 */
export function phaseOf(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  { terminal, initialized }: { terminal: boolean; initialized: boolean },
): PodStatus['phase'] {
  const counts: Counts = {
    pendingInit: 0,
    pendingSidecars: 0,
    failedForGood: false,
    unknown: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    stoppedForGood: 0,
    succeeded: 0,
  }
  const byName = new Map(statuses.map((s) => [s.name, s]))
  for (const container of pod.spec.initContainers ?? []) {
    const status = byName.get(container.name)
    if (isSidecar(container)) countSidecar(counts, status)
    else countInit(counts, pod, container, status)
  }
  for (const container of pod.spec.containers) countRegular(counts, pod, container, byName.get(container.name))
  if (counts.failedForGood) return 'Failed'
  if (counts.pendingInit > 0 || (counts.pendingSidecars > 0 && !initialized) || counts.waiting > 0) return 'Pending'
  if (counts.running > 0 && counts.unknown === 0) return 'Running'
  if (counts.running === 0 && counts.stopped > 0 && counts.unknown === 0) {
    if (!terminal && counts.stopped !== counts.stoppedForGood) return 'Running'
    return counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed'
  }
  return 'Pending'
}

type Spec = Pod['spec']['containers'][number]

function countInit(counts: Counts, pod: Pod, container: Spec, status: ContainerStatus | undefined): void {
  const state = status?.state
  const ended = state?.terminated ?? (state?.waiting ? status?.lastState.terminated : undefined)
  if (!ended) counts.pendingInit++
  else if (ended.exitCode !== 0 && !restartsAfter(container, pod.spec, ended.exitCode)) counts.failedForGood = true
}

/** Terminated sidecars do not count. */
function countSidecar(counts: Counts, status: ContainerStatus | undefined): void {
  if (!status) counts.unknown++
  else if (status.state.running) {
    if (!status.started) counts.pendingSidecars++
    counts.running++
  } else if (status.state.waiting) {
    if (status.lastState.terminated) return
    counts.pendingSidecars++
    counts.waiting++
  } else if (!status.state.terminated) {
    counts.pendingSidecars++
    counts.unknown++
  }
}

function countRegular(counts: Counts, pod: Pod, container: Spec, status: ContainerStatus | undefined): void {
  if (!status) {
    counts.unknown++
    return
  }
  const { running, terminated, waiting } = status.state
  const ended = terminated ?? (waiting && status.lastState.terminated)
  if (running) counts.running++
  else if (ended) {
    counts.stopped++
    if (!restartsAfter(container, pod.spec, ended.exitCode)) counts.stoppedForGood++
    if (terminated?.exitCode === 0) counts.succeeded++
  } else if (waiting) counts.waiting++
  else counts.unknown++
}
