import { equal } from '../journal/merge-patch.ts'
import type { Condition, ContainerStatus, Pod, PodStatus } from '../kube/objects.ts'
import { toRfc3339, type Us } from '../world/time.ts'
import { isKubeletCondition } from './pod-conditions.ts'

/** The state of a container nobody can find. */
export const LOST = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
}

/** A merge patch of a whole status: fields that are gone are nulled. */
export function withNulls(before: PodStatus, after: PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = { ...after }
  for (const field of Object.keys(before)) if (!(field in patch) && field !== 'nominatedNodeName') patch[field] = null
  return patch
}

export function keepTransitionTimes(conditions: readonly Condition[], old: readonly Condition[], now: Us): Condition[] {
  let changedAt: string | undefined
  return conditions.map((c) => {
    if (!isKubeletCondition(c.type)) return c
    const before = old.find((o) => o.type === c.type)
    const kept = before?.status === c.status ? before.lastTransitionTime : undefined
    if (kept === undefined) changedAt ??= toRfc3339(now)
    return { ...c, lastTransitionTime: kept ?? changedAt! }
  })
}

export function newInstances(before: PodStatus, after: PodStatus): string[] {
  const known = new Set(
    [...(before.containerStatuses ?? []), ...(before.initContainerStatuses ?? [])].map((s) => s.containerID),
  )
  return [...(after.containerStatuses ?? []), ...(after.initContainerStatuses ?? [])]
    .filter((s) => s.containerID && !known.has(s.containerID))
    .map((s) => s.name)
}

export function hasInitialized(pod: Pod): boolean {
  const init = pod.spec.initContainers ?? []
  if (init.length === 0) return true
  if ((pod.status.containerStatuses ?? []).some((s) => s.lastState.terminated || !s.state.waiting)) return true
  const last = pod.status.initContainerStatuses?.at(-1)
  if (!last) return false
  if (init.at(-1)?.restartPolicy === 'Always') return last.state.running !== undefined && last.started === true
  return last.state.terminated?.exitCode === 0 || last.lastState.terminated?.exitCode === 0
}

/** The last init container with evidence of a start; the first one counts always. */
export function lastStarted(statuses: readonly ContainerStatus[]): number {
  for (let i = statuses.length - 1; i > 0; i--)
    if (!statuses[i]!.state.waiting || statuses[i]!.lastState.terminated) return i
  return 0
}

/** Fields that others own. */
const FOREIGN: ReadonlySet<string> = new Set(['conditions', 'nominatedNodeName', 'qosClass', 'resourceClaimStatuses'])

/** Whether the server's status says what the kubelet last said. Follows isPodStatusByKubeletEqual. */
export function sameByKubelet(server: PodStatus, own: PodStatus): boolean {
  const [theirs, mine] = [server, own].map((s) => (s.conditions ?? []).filter((c) => isKubeletCondition(c.type)))
  if (theirs!.length !== mine!.length) return false
  for (const c of mine!) {
    const before = theirs!.find((t) => t.type === c.type)
    if (before?.status !== c.status || before.reason !== c.reason || before.message !== c.message) return false
  }
  const fields = new Set([...Object.keys(server), ...Object.keys(own)].filter((field) => !FOREIGN.has(field)))
  for (const field of fields) {
    const key = field as keyof PodStatus
    if (!equal(server[key], own[key])) return false
  }
  return true
}
