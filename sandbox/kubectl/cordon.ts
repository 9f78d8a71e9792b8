import { Node } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Task } from '../world/actor.ts'

/** Keeps new pods off a node. Whether anything changed. Fails with NotFound. Follows k8s.io/kubectl/pkg/drain/cordon.go. */
export const cordon = (kube: Kube, node: string): Task<boolean> => setUnschedulable(kube, node, true)

/** Lets new pods onto a node again. */
export const uncordon = (kube: Kube, node: string): Task<boolean> => setUnschedulable(kube, node, false)

function* setUnschedulable(kube: Kube, name: string, wanted: boolean): Task<boolean> {
  const node = yield* kube.read(Node, name)
  if ((node.spec.unschedulable ?? false) === wanted) return false
  yield* kube.patch(Node, name, { spec: { unschedulable: wanted || null } })
  return true
}
