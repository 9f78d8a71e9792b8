import { equal } from '../journal/merge-patch.ts'
import type { Condition, ContainerStatus, Pod, PodStatus } from '../kube/objects.ts'
import { toRfc3339, type Us } from '../world/time.ts'
import { allStatuses, isKubeletCondition } from './pod-conditions.ts'

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

/** The conditions with the times of their last transitions; what is as it was is the very same object. */
export function keepTransitionTimes(conditions: readonly Condition[], old: readonly Condition[], now: Us): Condition[] {
  return conditions.map((c) => {
    if (!isKubeletCondition(c.type)) return c
    const before = old.find((o) => o.type === c.type)
    if (before?.status !== c.status || before.lastTransitionTime === undefined)
      return { ...c, lastTransitionTime: toRfc3339(now) }
    return saysTheSame(before, c) ? before : { ...c, lastTransitionTime: before.lastTransitionTime }
  })
}

const saysTheSame = (before: Condition, now: Condition): boolean => {
  for (const key in before) if (key !== 'lastTransitionTime' && !(key in now)) return false
  for (const key in now) if (key !== 'lastTransitionTime' && !(key in before)) return false
  return (
    before.reason === now.reason &&
    before.message === now.message &&
    before.observedGeneration === now.observedGeneration &&
    before.lastProbeTime === now.lastProbeTime
  )
}

/** Names of containers with an instance that was not there before. */
export function newInstances(before: PodStatus, after: PodStatus): string[] {
  const names: string[] = []
  const known = allStatuses(before)
  for (const { name, containerID } of regularFirst(after))
    if (containerID && !known.some((s) => s.containerID === containerID)) names.push(name)
  return names
}

const regularFirst = ({ containerStatuses = [], initContainerStatuses }: PodStatus): readonly ContainerStatus[] =>
  initContainerStatuses ? [...containerStatuses, ...initContainerStatuses] : containerStatuses

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
  if (!sameConditions(server.conditions ?? [], own.conditions ?? [])) return false
  for (const field in server) if (!FOREIGN.has(field) && !sameField(server, own, field)) return false
  for (const field in own) if (!FOREIGN.has(field) && !sameField(server, own, field)) return false
  return true
}

const sameField = (a: PodStatus, b: PodStatus, field: string): boolean =>
  equal(a[field as keyof PodStatus], b[field as keyof PodStatus])

function sameConditions(theirs: readonly Condition[], mine: readonly Condition[]): boolean {
  if (theirs === mine) return true
  let left = 0
  for (const { type } of theirs) if (isKubeletCondition(type)) left++
  for (const c of mine) {
    if (!isKubeletCondition(c.type)) continue
    left--
    const before = theirs.find((t) => t.type === c.type)
    if (before === c) continue
    if (before?.status !== c.status || before.reason !== c.reason || before.message !== c.message) return false
  }
  return left === 0
}
