import { GPU } from '../../../sandbox/gpus/gpu-plugin.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { type NodeSpec, nodeAddresses, nodeObject, nodeResources } from '../../../sandbox/nodes/node-object.ts'
import { IMAGE, machine } from '../large-cluster.ts'

export const nodeSpec = (index: number): NodeSpec => ({
  ...{ ...machine, name: `gpu-${index}`, images: [IMAGE] },
  ...nodeAddresses(index),
})

/** The Node as someone makes it for whoever will say that it is Ready. */
export function bareNode(index: number): unknown {
  const spec = nodeSpec(index)
  const { capacity, allocatable } = nodeResources(spec)
  const gpus = { [GPU]: String(machine.gpu.count) }
  const resources = { capacity: { ...capacity, ...gpus }, allocatable: { ...allocatable, ...gpus } }
  const node = nodeObject(spec, resources, 0)
  const { conditions: _, ...status } = node.status as o.Node['status']
  return { ...node, status }
}
