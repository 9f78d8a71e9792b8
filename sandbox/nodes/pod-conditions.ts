import type { Condition, ContainerStatus, Pod, PodStatus } from '../kube/objects.ts'
import { isSidecar } from './pod-runtime.ts'

/** The conditions a kubelet owns; all others of a pod are left as they are. Follows pkg/kubelet/types/pod_status.go. */
const OWNED = new Set(['PodScheduled', 'Ready', 'Initialized', 'ContainersReady', 'PodReadyToStartContainers'])
export const isKubeletCondition = (type: string): boolean => OWNED.has(type)

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>
const TRUE: Verdict = { status: 'True' }

/** The pod's conditions in the order in which the kubelet writes them. Follows pkg/kubelet/status/generate.go. */
export function conditionsOf(
  pod: Pod,
  status: Pick<PodStatus, 'phase' | 'containerStatuses' | 'initContainerStatuses'>,
  options: { sandboxReady: boolean; others: readonly Condition[] },
): Condition[] {
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const made = (type: string, verdict: Verdict): Condition => ({
    type,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    ...verdict,
  })
  const containersReady = containersReadyOf(pod, statuses, status.phase)
  return [
    ...options.others,
    made('PodReadyToStartContainers', options.sandboxReady ? TRUE : { status: 'False' }),
    made('Initialized', initializedOf(pod, statuses, status.phase)),
    made('Ready', readyOf(pod, containersReady, options.others)),
    made('ContainersReady', containersReady),
    made('PodScheduled', TRUE),
  ]
}

export function containersReadyOf(pod: Pod, statuses: readonly ContainerStatus[], phase: PodStatus['phase']): Verdict {
  const { unknown, failing } = sort(
    [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers],
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
  const { unknown, failing } = sort(pod.spec.initContainers ?? [], statuses, (container, s) =>
    isSidecar(container) ? s.started === true : s.ready,
  )
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' }
  const regular = new Set(pod.spec.containers.map((c) => c.name))
  if (statuses.some((s) => regular.has(s.name) && (s.state.running || s.state.terminated))) return TRUE
  const message = listing(unknown, failing, 'incomplete')
  return message ? { status: 'False', reason: 'ContainersNotInitialized', message } : TRUE
}

type Spec = Pod['spec']['containers'][number]

function sort(
  containers: readonly Spec[],
  statuses: readonly ContainerStatus[],
  good: (container: Spec, status: ContainerStatus) => boolean,
): { unknown: string[]; failing: string[] } {
  const [unknown, failing]: [string[], string[]] = [[], []]
  for (const container of containers) {
    const status = statuses.find((s) => s.name === container.name)
    if (!status) unknown.push(container.name)
    else if (!good(container, status)) failing.push(container.name)
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
