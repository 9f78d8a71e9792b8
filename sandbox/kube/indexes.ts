import { ControllerRevision, Pod, ReplicaSet } from './kinds.ts'
import type { Index } from './kube.ts'
import type * as o from './objects.ts'

/** The owner reference with `controller: true`, if there is one. */
export const controllerOf = (object: o.KubeObject): o.OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(isController)

const isController = (owner: o.OwnerReference): boolean => owner.controller === true

const byController = (object: o.KubeObject): readonly string[] => {
  const owner = controllerOf(object)
  return owner ? [owner.uid] : NONE
}

const NONE: readonly string[] = []

export const podsByController: Index<o.Pod> = { kind: Pod, name: 'controller', values: byController }
export const replicaSetsByController: Index<o.ReplicaSet> = {
  kind: ReplicaSet,
  name: 'controller',
  values: byController,
}
/** The controller's uid; for those nobody controls, the namespace. */
export const revisionsByController: Index<o.ControllerRevision> = {
  kind: ControllerRevision,
  name: 'controller',
  values: (revision) => {
    const owner = controllerOf(revision)
    return [owner ? owner.uid : `${revision.metadata.namespace}/`]
  },
}
/** Pods nobody controls, by namespace: what a controller may adopt. */
export const orphanPods: Index<o.Pod> = {
  kind: Pod,
  name: 'orphan',
  values: (pod) => (controllerOf(pod) ? NONE : [pod.metadata.namespace ?? '']),
}
