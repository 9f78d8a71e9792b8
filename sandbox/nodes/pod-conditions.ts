import type { Condition, ContainerStatus, Pod, PodStatus } from '../kube/objects.ts'
import { isSidecar } from './pod-runtime.ts'

/** The conditions a kubelet owns; all others of a pod are left as they are. Follows pkg/kubelet/types/pod_status.go. */
const OWNED = new Set(['PodScheduled', 'Ready', 'Initialized', 'ContainersReady', 'PodReadyToStartContainers'])
export const isKubeletCondition = (type: string): boolean => OWNED.has(type)

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>
const TRUE: Verdict = { status: 'True' }
const FALSE: Verdict = { status: 'False' }

/** The pod's conditions in the order in which the kubelet writes them. Follows pkg/kubelet/status/generate.go. */
export function conditionsOf(
  pod: Pod,
  status: Pick<PodStatus, 'phase' | 'containerStatuses' | 'initContainerStatuses'>,
  options: { sandboxReady: boolean; others: readonly Condition[] },
): Condition[] {
  const statuses = allStatuses(status)
  const { generation } = pod.metadata
  const containersReady = containersReadyOf(pod, statuses, status.phase)
  const own = [
    made('PodReadyToStartContainers', options.sandboxReady ? TRUE : FALSE, generation),
    made('Initialized', initializedOf(pod, statuses, status.phase), generation),
    made('Ready', readyOf(pod, containersReady, options.others), generation),
    made('ContainersReady', containersReady, generation),
    made('PodScheduled', TRUE, generation),
  ]
  return options.others.length === 0 ? own : [...options.others, ...own]
}

/** Of init containers, then of the others. */
export function allStatuses(status: Pick<PodStatus, 'containerStatuses' | 'initContainerStatuses'>): ContainerStatus[] {
  const { containerStatuses = [], initContainerStatuses } = status
  return initContainerStatuses ? [...initContainerStatuses, ...containerStatuses] : containerStatuses
}

function made(type: string, { status, reason, message }: Verdict, generation: number | undefined): Condition {
  const condition: Condition = { type, status }
  if (generation !== undefined) condition.observedGeneration = generation
  if (reason !== undefined) condition.reason = reason
  if (message !== undefined) condition.message = message
  return condition
}

export function containersReadyOf(pod: Pod, statuses: readonly ContainerStatus[], phase: PodStatus['phase']): Verdict {
  const { unknown, failing } = sort(
    pod.spec.initContainers
      ? [...pod.spec.initContainers.filter(isSidecar), ...pod.spec.containers]
      : pod.spec.containers,
    statuses,
    (_container, s) => s.ready,
  )
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const message = listing(unknown, failing, 'unready')
  return message ? { status: 'False', reason: 'ContainersNotReady', message } : TRUE
}

/** Ready is ContainersReady and all readiness gates. */
export function readyOf(pod: Pod, containersReady: Verdict, conditions: readonly Condition[]): Verdict {
  if (containersReady.status !== 'True') return containersReady
  const missing: string[] = []
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const gate = conditions.find((c) => c.type === conditionType)
    if (!gate) missing.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`)
    else if (gate.status !== 'True')
      missing.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`)
  }
  return missing.length > 0 ? { status: 'False', reason: 'ReadinessGatesNotReady', message: missing.join(', ') } : TRUE
}

function initializedOf(pod: Pod, statuses: readonly ContainerStatus[], phase: PodStatus['phase']): Verdict {
  const { unknown, failing } = sort(pod.spec.initContainers ?? NO_SPECS, statuses, (container, s) =>
    isSidecar(container) ? s.started === true : s.ready,
  )
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' }
  const isRegular = (name: string) => pod.spec.containers.some((c) => c.name === name)
  if (statuses.some((s) => (s.state.running || s.state.terminated) && isRegular(s.name))) return TRUE
  const message = listing(unknown, failing, 'incomplete')
  return message ? { status: 'False', reason: 'ContainersNotInitialized', message } : TRUE
}

type Spec = Pod['spec']['containers'][number]
const NO_SPECS: readonly Spec[] = []
const NO_NAMES: readonly string[] = []

function sort(
  containers: readonly Spec[],
  statuses: readonly ContainerStatus[],
  good: (container: Spec, status: ContainerStatus) => boolean,
): { unknown: readonly string[]; failing: readonly string[] } {
  let unknown = NO_NAMES
  let failing = NO_NAMES
  for (const container of containers) {
    const status = statuses.find((s) => s.name === container.name)
    if (!status) unknown = [...unknown, container.name]
    else if (!good(container, status)) failing = [...failing, container.name]
  }
  return { unknown, failing }
}

/** Names as Go prints a slice: `[a b]`. */
function listing(unknown: readonly string[], failing: readonly string[], adjective: string): string {
  const parts: string[] = []
  if (unknown.length > 0) parts.push(`containers with unknown status: [${unknown.join(' ')}]`)
  if (failing.length > 0) parts.push(`containers with ${adjective} status: [${failing.join(' ')}]`)
  return parts.join(', ')
}
