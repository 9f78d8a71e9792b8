import { equal } from '../../journal/merge-patch.ts'
import type { KubeObject, Node, Pod } from '../../kube/objects.ts'
import { milliValueOf } from '../../kube/quantity.ts'
import { podRequests } from './pod-requests.ts'

/** Kinds of change, as bits in upstream's order. Follows k8s.io/kube-scheduler/framework/types.go ActionType. */
export const Action = {
  Add: 1,
  Delete: 1 << 1,
  UpdateNodeAllocatable: 1 << 2,
  UpdateNodeLabel: 1 << 3,
  UpdateNodeTaint: 1 << 4,
  UpdateNodeCondition: 1 << 5,
  UpdateNodeAnnotation: 1 << 6,
  UpdateNodeDeclaredFeature: 1 << 7,
  UpdatePodLabel: 1 << 8,
  UpdatePodScaleDown: 1 << 9,
  UpdatePodToleration: 1 << 10,
  UpdatePodSchedulingGatesEliminated: 1 << 11,
  UpdatePodGeneratedResourceClaim: 1 << 12,
  All: (1 << 13) - 1,
  Update: ((1 << 13) - 1) & ~3,
} as const

/** Kinds of storage whose changes plugins hear of. */
export type StorageResource =
  | 'PersistentVolumeClaim'
  | 'PersistentVolume'
  | 'StorageClass'
  | 'CSINode'
  | 'CSIDriver'
  | 'CSIStorageCapacity'
  | 'VolumeAttachment'

/** A change of the cluster that may make a pod fit. */
export interface ClusterEvent {
  readonly resource: 'AssignedPod' | 'UnschedulablePod' | 'Node' | StorageResource | '*'
  readonly action: number
}

/** A change a plugin cares about; without a hint every one counts. */
export interface EventHint {
  readonly resource: 'Pod' | 'Node' | StorageResource
  readonly actions: number
  /** Whether the change could make `pod` fit. `before` and `after` are the changed object, undefined where there was or is none. */
  hint?(pod: Pod, before: KubeObject | undefined, after: KubeObject | undefined): boolean
}

export const ASSIGNED_POD_ADD: ClusterEvent = { resource: 'AssignedPod', action: Action.Add }
export const ASSIGNED_POD_DELETE: ClusterEvent = { resource: 'AssignedPod', action: Action.Delete }
export const NODE_ADD: ClusterEvent = { resource: 'Node', action: Action.Add }
export const NODE_DELETE: ClusterEvent = { resource: 'Node', action: Action.Delete }
/** Everything may have changed: a pod waited too long, or is called for. */
export const WILDCARD: ClusterEvent = { resource: '*', action: Action.All }

// follows pkg/scheduler/framework/types.go MatchClusterEvents
export function hears(hint: EventHint, event: ClusterEvent): boolean {
  const { resource } = event
  const isPod = resource === 'AssignedPod' || resource === 'UnschedulablePod'
  const same = hint.resource === 'Pod' ? isPod : resource === hint.resource
  return same && (hint.actions & event.action) !== 0 && event.action <= hint.actions
}

const ASSIGNED_POD_UPDATE: readonly ClusterEvent[] = [{ resource: 'AssignedPod', action: Action.Update }]
const UNSCHEDULABLE_POD_UPDATE: readonly ClusterEvent[] = [{ resource: 'UnschedulablePod', action: Action.Update }]

const differ = (a: unknown, b: unknown): boolean => a !== b && !equal(a ?? {}, b ?? {})

/** What an update of a pod changed for scheduling. Follows pkg/scheduler/framework/events.go PodSchedulingPropertiesChange. */
export function podChanges(before: Pod, after: Pod): readonly ClusterEvent[] {
  const resource = after.spec.nodeName ? 'AssignedPod' : 'UnschedulablePod'
  const actions: number[] = []
  if (differ(before.metadata.labels, after.metadata.labels)) actions.push(Action.UpdatePodLabel)
  if (isScaledDown(before, after)) actions.push(Action.UpdatePodScaleDown)
  if (!after.spec.schedulingGates?.length && before.spec.schedulingGates?.length)
    actions.push(Action.UpdatePodSchedulingGatesEliminated)
  if ((before.spec.tolerations?.length ?? 0) !== (after.spec.tolerations?.length ?? 0))
    actions.push(Action.UpdatePodToleration)
  if (actions.length === 0) return after.spec.nodeName ? ASSIGNED_POD_UPDATE : UNSCHEDULABLE_POD_UPDATE
  return actions.map((action) => ({ resource, action }))
}

/** What an update of a node changed for scheduling. Follows pkg/scheduler/framework/events.go NodeSchedulingPropertiesChange. */
export function nodeChanges(before: Node, after: Node): ClusterEvent[] {
  const actions: number[] = []
  if (before.spec.unschedulable && !after.spec.unschedulable) actions.push(Action.UpdateNodeTaint)
  if (differ(before.status?.allocatable, after.status?.allocatable)) actions.push(Action.UpdateNodeAllocatable)
  if (differ(before.metadata.labels, after.metadata.labels)) actions.push(Action.UpdateNodeLabel)
  if (differ(before.spec.taints ?? [], after.spec.taints ?? [])) actions.push(Action.UpdateNodeTaint)
  if (conditionsDiffer(before, after)) actions.push(Action.UpdateNodeCondition)
  if (differ(before.metadata.annotations, after.metadata.annotations)) actions.push(Action.UpdateNodeAnnotation)
  return actions.map((action) => ({ resource: 'Node', action }))
}

function isScaledDown(before: Pod, after: Pod): boolean {
  const parts = ['containers', 'initContainers', 'overhead', 'resources'] as const
  if (parts.every((part) => before.spec[part] === after.spec[part])) return false
  const now = podRequests(after.spec)
  for (const [name, amount] of podRequests(before.spec)) {
    const left = now.get(name)
    if (!left || milliValueOf(amount) > milliValueOf(left)) return true
  }
  return false
}

function conditionsDiffer(before: Node, after: Node): boolean {
  if (before.status?.conditions === after.status?.conditions) return false
  const statuses = (node: Node) => Object.fromEntries((node.status?.conditions ?? []).map((c) => [c.type, c.status]))
  return !equal(statuses(before), statuses(after))
}
