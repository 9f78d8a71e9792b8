import { isRollingUpdate, maxUnavailableOf } from '../sandbox/controllers/deployment/fenceposts.ts'
import { DaemonSet, Deployment, type Kind, keyOf, StatefulSet } from '../sandbox/kube/kinds.ts'
import type * as o from '../sandbox/kube/objects.ts'
import type { ObjectsView } from './objects-view.ts'
import type { Subject } from './subject.ts'

/** A workload with replicas: what trials judge. */
export type ReplicatedWorkload = o.Deployment | o.StatefulSet

const KINDS: readonly Kind<ReplicatedWorkload>[] = [Deployment, StatefulSet]

/** The kind of the subject's own object. Throws a RangeError for one that is no workload with replicas. */
export function kindOfSubject({ kind, key }: Pick<Subject, 'kind' | 'key'>): Kind<ReplicatedWorkload> {
  const found = KINDS.find((one) => one.kind === kind)
  if (!found) throw new RangeError(`${kind} ${key} has no replicas`)
  return found
}

/** The subject's own object as it is now. */
export const workloadOf = (subject: Subject, view: ObjectsView): ReplicatedWorkload | undefined =>
  view.get(kindOfSubject(subject), subject.key)

/** Whether a change may be of a workload, by its kind's id. */
export const isWorkloadKind = (id: string): boolean => KINDS.some((kind) => kind.id === id)

/** Replicas that may be missing while it rolls: all of them with Recreate, one at a time for a StatefulSet. */
export function maxUnavailableReplicas(workload: ReplicatedWorkload): number {
  if (workload.kind === 'StatefulSet') return Math.min(1, workload.spec.replicas)
  return isRollingUpdate(workload) ? maxUnavailableOf(workload) : workload.spec.replicas
}

/** Every replica is updated and available, and none of the old is left. Follows kubectl rollout status. */
export function isComplete(workload: ReplicatedWorkload | o.DaemonSet): boolean {
  const { metadata, status } = workload
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false
  if (workload.kind === 'Deployment') return isDeploymentComplete(workload)
  return workload.kind === 'StatefulSet' ? isStatefulSetComplete(workload) : isDaemonSetComplete(workload)
}

/** Workloads that are to be complete before a platform counts as settled and are not, by key. */
export const incomplete = (view: ObjectsView): string[] =>
  [...view.list(Deployment), ...view.list(StatefulSet), ...view.list(DaemonSet)]
    .filter((workload) => !isComplete(workload))
    .map(keyOf)

const isDeploymentComplete = ({ spec, status }: o.Deployment): boolean =>
  (status.updatedReplicas ?? 0) === spec.replicas &&
  (status.replicas ?? 0) === spec.replicas &&
  (status.availableReplicas ?? 0) === spec.replicas

function isStatefulSetComplete({ spec, status }: o.StatefulSet): boolean {
  if ((status.readyReplicas ?? 0) < spec.replicas || status.replicas !== spec.replicas) return false
  const partition = spec.updateStrategy.rollingUpdate?.partition ?? 0
  if (spec.updateStrategy.type === 'OnDelete') return true
  if (partition > 0) return (status.updatedReplicas ?? 0) >= spec.replicas - partition
  return status.updateRevision === status.currentRevision
}

const isDaemonSetComplete = ({ status }: o.DaemonSet): boolean =>
  (status.updatedNumberScheduled ?? 0) >= status.desiredNumberScheduled &&
  (status.numberAvailable ?? 0) >= status.desiredNumberScheduled
