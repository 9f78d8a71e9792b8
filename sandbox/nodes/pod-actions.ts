import type { Container, Pod } from '../kube/objects.ts'
import { type ContainerView, findContainer, isSidecar, type PodView } from './pod-runtime.ts'
import type { ProbeResults } from './prober/results.ts'
import { restartsAfter, shouldBeStarted } from './restart-policy.ts'

export type KillReason = 'StartupProbe' | 'LivenessProbe' | 'FailedPostStartHook' | ''

export interface KillOrder {
  readonly container: Container
  readonly id: string
  readonly message: string
  readonly reason: KillReason
}

/** What one sync of a pod has to do. */
export interface PodActions {
  killPod: boolean
  createSandbox: boolean
  /** Indices into `spec.initContainers` and `spec.containers`. */
  initToStart: number[]
  toStart: number[]
  toKill: KillOrder[]
}

/** Compares a pod with its state in the runtime. Follows pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions. */
export function podActions(pod: Pod, view: PodView, probes: ProbeResults): PodActions {
  if (view.sandbox !== 'ready') return newSandboxActions(pod, view)
  const actions: PodActions = { killPod: false, createSandbox: false, initToStart: [], toStart: [], toKill: [] }
  if (!initActions(pod, view, probes, actions) || actions.killPod) return actions
  let keep = 0
  pod.spec.containers.forEach((container, i) => {
    const status = findContainer(view, container.name)
    if (status?.state !== 'running') {
      if (shouldBeStarted(container, pod, view)) actions.toStart.push(i)
      return
    }
    const failed = failedProbe(status, probes)
    if (!failed) {
      keep++
      return
    }
    const restart = (container.restartPolicy ?? pod.spec.restartPolicy) !== 'Never'
    const message = `Container ${container.name} failed ${failed.probe} probe`
    if (restart) actions.toStart.push(i)
    const order = { container, id: status.id, message: restart ? `${message}, will be restarted` : message }
    actions.toKill.push({ ...order, reason: failed.reason })
  })
  if (keep === 0 && actions.toStart.length === 0) {
    actions.killPod = true
    actions.initToStart = []
  }
  return actions
}

function newSandboxActions(pod: Pod, view: PodView): PodActions {
  const actions: PodActions = { killPod: true, createSandbox: true, initToStart: [], toStart: [], toKill: [] }
  const existed = view.sandbox === 'stopped'
  if (pod.spec.restartPolicy === 'Never' && existed && view.containers.length > 0)
    return { ...actions, createSandbox: false }
  const toStart = pod.spec.containers
    .map((container, i) => ({ container, i, status: findContainer(view, container.name) }))
    .filter(({ container, status }) => {
      const runOnce = (container.restartPolicy ?? pod.spec.restartPolicy) === 'OnFailure'
      return !(runOnce && status?.state === 'exited' && status.exitCode === 0)
    })
    .map(({ i }) => i)
  if (toStart.length === 0 && pod.spec.containers.some((c) => findContainer(view, c.name)))
    return { ...actions, createSandbox: false }
  if ((pod.spec.initContainers?.length ?? 0) > 0) return { ...actions, initToStart: [0] }
  return { ...actions, toStart }
}

function failedProbe(
  status: ContainerView,
  probes: ProbeResults,
): { probe: string; reason: 'StartupProbe' | 'LivenessProbe' } | undefined {
  if (probes.get('liveness', status.id) === 'Failure') return { probe: 'liveness', reason: 'LivenessProbe' }
  if (probes.get('startup', status.id) === 'Failure') return { probe: 'startup', reason: 'StartupProbe' }
  return undefined
}

/** Whether the pod has initialized. Follows kuberuntime_container.go computeInitContainerActions, from the last init container down. */
function initActions(pod: Pod, view: PodView, probes: ProbeResults, actions: PodActions): boolean {
  const init = pod.spec.initContainers ?? []
  if (init.length === 0) return true
  const running = (c: Container) => ['running', 'created'].includes(findContainer(view, c.name)?.state ?? '')
  const scan: InitScan = { initialized: pod.spec.containers.some(running), later: false, last: init.length - 1 }
  scan.later = scan.initialized
  for (let i = scan.last; i >= 0; i--) {
    const container = init[i]!
    const status = findContainer(view, container.name)
    if (!status) {
      if (scan.later && isSidecar(container)) actions.initToStart.push(i)
      continue
    }
    if (scan.later && !isSidecar(container)) continue
    if (isSidecar(container)) sidecarActions({ container, status, i, probes, actions, scan })
    else if (!plainInitActions({ container, status, i, pod, actions, scan })) return false
    scan.later = true
  }
  if (!scan.later) actions.initToStart.push(0)
  actions.initToStart.reverse()
  return scan.initialized
}

interface InitScan {
  /** Regular containers may be started. */
  initialized: boolean
  /** A later container has been seen started: this one had its turn. */
  later: boolean
  readonly last: number
}

function done(i: number, actions: PodActions, scan: InitScan): void {
  if (i === scan.last) scan.initialized = true
  else if (!scan.later) actions.initToStart.push(i + 1)
}

function sidecarActions(options: {
  container: Container
  status: ContainerView
  i: number
  probes: ProbeResults
  actions: PodActions
  scan: InitScan
}): void {
  const { container, status, i, probes, actions, scan } = options
  if (status.state !== 'running') {
    actions.initToStart.push(i)
    return
  }
  const kill = (probe: string, reason: KillReason) => {
    const message = `Init container ${container.name} failed ${probe} probe`
    actions.toKill.push({ container, id: status.id, message, reason })
    actions.initToStart.push(i)
  }
  if (container.startupProbe) {
    const startup = probes.get('startup', status.id)
    if (startup === 'Failure') kill('startup', 'StartupProbe')
    if (startup !== 'Success') return
  }
  done(i, actions, scan)
  if (container.livenessProbe && probes.get('liveness', status.id) === 'Failure') kill('liveness', 'LivenessProbe')
}

/** False: initialization has failed for good. */
function plainInitActions(options: {
  container: Container
  status: ContainerView
  i: number
  pod: Pod
  actions: PodActions
  scan: InitScan
}): boolean {
  const { container, status, i, pod, actions, scan } = options
  if (status.state === 'created') actions.initToStart.push(i)
  if (status.state !== 'exited') return true
  if (status.exitCode === 0 && status.reason !== 'OOMKilled') {
    done(i, actions, scan)
    return true
  }
  if (!pod.metadata.deletionTimestamp && restartsAfter(container, pod.spec, status.exitCode ?? 1)) {
    actions.initToStart.push(i)
    return true
  }
  actions.killPod = true
  actions.initToStart = []
  return false
}
