import type { NodeGpus } from '../../../sandbox/gpus/gpu-plugin.ts'
import { GPU } from '../../../sandbox/gpus/gpu-plugin.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { type NodeSpec, nodeAddresses, nodeObject, nodeResources } from '../../../sandbox/nodes/node-object.ts'

/** As in `cluster.bench.ts`: nodes of 8 GPUs, and one Deployment that takes them all, two a pod. */
export const REPLICAS_PER_NODE = 4

const gpu: NodeGpus = { product: 'NVIDIA-H100-80GB-HBM3', memoryBytes: 80 * 2 ** 30, count: 8 }

export const nodeSpec = (index: number): NodeSpec => ({
  ...{ name: `gpu-${index}`, cpu: '192', memory: '2Ti', gpu, images: ['server:1'] },
  ...nodeAddresses(index),
})

/** The Node as someone makes it for whoever will say that it is Ready. */
export function bareNode(index: number): unknown {
  const spec = nodeSpec(index)
  const { capacity, allocatable } = nodeResources(spec)
  const gpus = { [GPU]: String(gpu.count) }
  const resources = { capacity: { ...capacity, ...gpus }, allocatable: { ...allocatable, ...gpus } }
  const node = nodeObject(spec, resources, 0)
  const { conditions: _, ...status } = node.status as o.Node['status']
  return { ...node, status }
}

export const deployment = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'server', namespace: 'default' },
  spec: {
    replicas,
    progressDeadlineSeconds: 86_400,
    selector: { matchLabels: { app: 'server' } },
    template: {
      metadata: { labels: { app: 'server' } },
      spec: {
        containers: [{ name: 'server', image: 'server:1', resources: { limits: { [GPU]: '2' } } }],
        terminationGracePeriodSeconds: 1,
      },
    },
  },
})
