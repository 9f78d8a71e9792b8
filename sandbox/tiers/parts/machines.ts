import { runClusterAutoscaler } from '../../autoscaling/nodes/cluster-autoscaler/cluster-autoscaler.ts'
import type { Claims } from '../../autoscaling/nodes/karpenter/claims.ts'
import { runKarpenter } from '../../autoscaling/nodes/karpenter/karpenter.ts'
import { type MachinePark, nodeSpecOf } from '../../autoscaling/nodes/machines.ts'
import { nodeAddresses } from '../../nodes/node-object.ts'
import { type NodeParts, startOne } from './nodes.ts'

/** Machines of the simulated cloud: what is bought starts as a node, what is given back is gone. */
const parkOf = (parts: NodeParts): MachinePark => ({
  addNode: (name, shape, pluginDelay) =>
    startOne(parts, nodeSpecOf(name, shape, nodeAddresses(parts.running.size)), pluginDelay),
  removeNode: (name) => {
    parts.running.get(name)?.destroy()
    parts.monitoring.nodeRemoved(name)
  },
  hasCapacity: ({ instanceType, zone, labels }) =>
    ![...parts.soldOut].some((pattern) =>
      isMeant(pattern, [instanceType, zone, labels?.['karpenter.sh/capacity-type']]),
    ),
})

/** Whether `type/zone/capacity type` is of a pattern: `*` is any, and so is what is left out at the end. */
const isMeant = (pattern: string, offering: readonly (string | undefined)[]): boolean =>
  pattern.split('/').every((part, i) => part === '*' || part === offering[i])

/** Starts Karpenter where the platform has NodePools. */
export function startKarpenter(parts: NodeParts): Claims | undefined {
  const { karpenter, world, kubeOf } = parts
  if (!karpenter) return undefined
  const { catalogue, delays } = karpenter
  return runKarpenter({ world, kube: kubeOf('karpenter'), park: parkOf(parts), catalogue, delays })
}

/** What a cloud calls nodes that will have GPUs; the simulated cloud labels them so. */
const GPU_LABEL = 'cloud.example/accelerator'

/** Starts the Cluster Autoscaler on the groups it may change. */
export function startNodeAutoscaler(parts: NodeParts): void {
  const { nodeAutoscaler, nodes, world, kubeOf } = parts
  if (!nodeAutoscaler) return
  runClusterAutoscaler({
    world,
    kube: kubeOf('cluster-autoscaler'),
    park: parkOf(parts),
    delays: nodeAutoscaler.delays,
    flags: { gpuLabel: GPU_LABEL },
    groups: nodeAutoscaler.groups.flatMap(({ name, min, max }) => {
      const group = nodes.find((one) => one.name === name)
      if (!group) return []
      const { count, cpu, memory, gpu, taints, labels } = group
      const gpuLabels: Record<string, string> = gpu ? { [GPU_LABEL]: gpu.product } : {}
      return [
        {
          name,
          min,
          max,
          shape: {
            cpu,
            memory,
            ...(gpu ? { gpu } : {}),
            ...(taints ? { taints: [...taints] } : {}),
            labels: { ...labels, ...gpuLabels },
          },
          nodes: Array.from({ length: count }, (_, i) => `${name}-${i}`),
        },
      ]
    }),
  })
}
