import type { Condition, Pod, PodStatus } from '../kube/objects.ts'
import { fromRfc3339, seconds, type Us } from '../world/time.ts'
import { anyRegularStarted, containerStatuses } from './container-statuses.ts'
import type { StartFailure } from './images.ts'
import { phaseOf } from './phase.ts'
import { conditionsOf, isKubeletCondition } from './pod-conditions.ts'
import type { PodView } from './pod-runtime.ts'
import type { PodProbes } from './prober/manager.ts'

const isTerminal = (phase: PodStatus['phase']): boolean => phase === 'Succeeded' || phase === 'Failed'

/**
 * The status of a pod as the kubelet would report it now. `old` is the kubelet's own last one. Asks probes that have not answered to
 * run. Follows pkg/kubelet/kubelet_pods.go generateAPIPodStatus.
 */
export function podStatus(options: {
  pod: Pod
  view: PodView
  old: PodStatus
  reasons: ReadonlyMap<string, StartFailure>
  probes: PodProbes
  /** No container will be started any more. */
  terminal: boolean
  nodeIP: string
  now: Us
}): PodStatus {
  const { pod, view, old } = options
  const common = { pod, view, reasons: options.reasons }
  const regular = containerStatuses({
    ...common,
    containers: pod.spec.containers,
    previous: old.containerStatuses ?? [],
    init: false,
  })
  const init = pod.spec.initContainers
    ? containerStatuses({
        ...common,
        containers: pod.spec.initContainers,
        previous: old.initContainerStatuses ?? [],
        init: true,
      })
    : []
  const initialized = anyRegularStarted(pod, view)
  let phase = phaseOf(pod, [...regular, ...init], { terminal: options.terminal, initialized })
  if (!isTerminal(phase) && isTerminal(old.phase)) phase = old.phase
  const ip = pod.spec.hostNetwork ? options.nodeIP : view.ip
  const status: PodStatus = { phase, hostIP: options.nodeIP }
  if (phase === old.phase) {
    const [reason, message] = [old.reason || pod.status.reason, old.message || pod.status.message]
    if (reason) status.reason = reason
    if (message) status.message = message
  }
  if (pastDeadline(pod, old, options.now)) Object.assign(status, DEADLINE)
  if (ip !== undefined) {
    status.podIP = ip
    status.podIPs = [{ ip }]
  }
  if (pod.status.qosClass) status.qosClass = pod.status.qosClass
  status.containerStatuses = regular.sort((a, b) => (a.name < b.name ? -1 : 1))
  if (init.length > 0) status.initContainerStatuses = init
  if (isTerminal(pod.status.phase)) status.phase = pod.status.phase
  options.probes.update(pod, status)
  const others: Condition[] = (pod.status.conditions ?? []).filter((c) => !isKubeletCondition(c.type))
  status.conditions = conditionsOf(pod, status, { sandboxReady: view.sandbox === 'ready', others })
  return status
}

/** When the pod will have been active for too long; undefined without such a limit. Follows pkg/kubelet/active_deadline.go. */
export function deadlineOf(pod: Pod, status: PodStatus | undefined): Us | undefined {
  const limit = pod.spec.activeDeadlineSeconds
  const startTime = status?.startTime
  return limit === undefined || startTime === undefined ? undefined : fromRfc3339(startTime) + seconds(limit)
}

const DEADLINE = {
  phase: 'Failed',
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
} as const

const pastDeadline = (pod: Pod, old: PodStatus, now: Us): boolean =>
  now >= (deadlineOf(pod, old) ?? Number.POSITIVE_INFINITY)
