import type * as o from '../../kube/objects.ts'

type Sets = readonly o.ReplicaSet[]

const sum = (sets: Sets, of: (rs: o.ReplicaSet) => number | undefined): number =>
  sets.reduce((total, rs) => total + (of(rs) ?? 0), 0)

/** How many pods the sets should have together. */
export const specReplicas = (sets: Sets): number => sum(sets, (rs) => rs.spec.replicas)
/** How many pods the sets say they have. */
export const statusReplicas = (sets: Sets): number => sum(sets, (rs) => rs.status.replicas)
export const readyReplicas = (sets: Sets): number => sum(sets, (rs) => rs.status.readyReplicas)
export const availableReplicas = (sets: Sets): number => sum(sets, (rs) => rs.status.availableReplicas)

/** Undefined when a set that was synced does not say. Follows GetTerminatingReplicaCountForReplicaSets. */
export function terminatingReplicas(sets: Sets): number | undefined {
  const synced = sets.filter(({ status }) => status.observedGeneration || status.terminatingReplicas !== undefined)
  if (synced.some(({ status }) => status.terminatingReplicas === undefined)) return undefined
  return sum(synced, (rs) => rs.status.terminatingReplicas)
}

/** Sets that should have pods. Follows FilterActiveReplicaSets in pkg/controller/controller_utils.go. */
export const active = (sets: Sets): o.ReplicaSet[] => sets.filter((rs) => rs.spec.replicas > 0)

export type Compare = (a: o.ReplicaSet, b: o.ReplicaSet) => number

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Old to new; the name decides between sets of the same second. */
export const byCreation: Compare = ({ metadata: a }, { metadata: b }) =>
  byText(a.creationTimestamp, b.creationTimestamp) || byText(a.name, b.name)

export const bySizeOlderFirst: Compare = (a, b) => b.spec.replicas - a.spec.replicas || byCreation(a, b)
export const bySizeNewerFirst: Compare = (a, b) => b.spec.replicas - a.spec.replicas || byCreation(b, a)
