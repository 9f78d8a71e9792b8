import type { DeviceManager } from '../gpus/device-manager.ts'
import type { Node, Pod } from '../kube/objects.ts'
import { UsedPorts } from '../scheduler/framework/host-ports.ts'
import { isTolerated } from '../scheduler/framework/plugins/taints.ts'
import { factsOf } from '../scheduler/framework/pod-info.ts'
import { addResource, knownResourceOf, zeroResource } from '../scheduler/framework/resources.ts'

/** Why a kubelet will not run a pod that was bound to its node. */
export interface Rejection {
  readonly reason: string
  readonly message: string
}

/**
 * Admits a pod, and gives it its devices, or says why not. `others`: the pods that are active on the node.
 * Follows pkg/kubelet/cm/container_manager_linux.go's allocation handler, then pkg/kubelet/lifecycle/predicate.go.
 */
export function admit(options: {
  pod: Pod
  others: readonly Pod[]
  node: Node
  devices: DeviceManager
}): Rejection | undefined {
  const { pod, others, node, devices } = options
  const why = devices.allocate(pod)
  if (why) return { reason: 'UnexpectedAdmissionError', message: `Allocate failed due to ${why}, which is unexpected` }
  return insufficient(pod, others, node, devices) ?? mismatch(pod, others, node)
}

/** Resources in the order in which the fit check finds them lacking; the first one is the reason. */
function insufficient(pod: Pod, others: readonly Pod[], node: Node, devices: DeviceManager): Rejection | undefined {
  const has = knownResourceOf(node.status.allocatable)
  const wants = factsOf(pod.spec).requests
  const used = zeroResource()
  for (const other of others) addResource(used, factsOf(other.spec).requests, 1)
  if (others.length + 1 > has.pods) return outOf('pods', 1, others.length, has.pods)
  const plain = [
    ['cpu', wants.milliCpu, used.milliCpu, has.milliCpu],
    ['memory', wants.memoryBytes, used.memoryBytes, has.memoryBytes],
    ['ephemeral-storage', wants.ephemeralStorageBytes, used.ephemeralStorageBytes, has.ephemeralStorageBytes],
  ] as const
  for (const [name, want, use, capacity] of plain)
    if (want > 0 && want > capacity - use) return outOf(name, want, use, capacity)
  for (const [name, want] of wants.scalars) {
    // what the node does not know is the cluster's to count; what devices were just given out for does fit
    if (!has.scalars.has(name) || (devices.has(name) && want > 0)) continue
    const [use, capacity] = [used.scalars.get(name) ?? 0, has.scalars.get(name) ?? 0]
    if (want > capacity - use) return outOf(name, want, use, capacity)
  }
  return undefined
}

const outOf = (name: string, requested: number, used: number, capacity: number): Rejection => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

function mismatch(pod: Pod, others: readonly Pod[], node: Node): Rejection | undefined {
  const predicate = (name: string, why: string): Rejection => ({
    reason: name,
    message: `Predicate ${name} failed: ${why}`,
  })
  const { requiredNode, hostPorts } = factsOf(pod.spec)
  if (requiredNode && !requiredNode(node))
    return predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
  if (hostPorts.length > 0) {
    const ports = new UsedPorts()
    for (const other of others) for (const port of factsOf(other.spec).hostPorts) ports.add(port)
    if (!ports.fits(hostPorts))
      return predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports")
  }
  const evicting = (node.spec.taints ?? []).filter((t) => t.effect === 'NoExecute')
  if (evicting.some((taint) => !isTolerated(pod.spec.tolerations ?? [], taint)))
    return predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate")
  return undefined
}
