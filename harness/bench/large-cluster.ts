import { GPU } from '../../sandbox/gpus/gpu-plugin.ts'
import type { PodSpec } from '../../sandbox/kube/objects.ts'

/** What a node of the large cluster is. */
export const machine = {
  cpu: '192',
  memory: '2Ti',
  gpu: { product: 'NVIDIA-H100-80GB-HBM3', memoryBytes: 80 * 2 ** 30, count: 8 },
} as const

/** So many pods of two GPUs take a node whole. */
export const REPLICAS_PER_NODE = 4

export const IMAGE = 'server:1'

/** One Deployment of a plain server, two GPUs a pod. */
export const deployment = (replicas: number, more: Partial<PodSpec> = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'server', namespace: 'default' },
  spec: {
    replicas,
    progressDeadlineSeconds: 86_400,
    selector: { matchLabels: { app: 'server' } },
    template: {
      metadata: { labels: { app: 'server' } },
      spec: { containers: [{ name: 'server', image: IMAGE, resources: { limits: { [GPU]: '2' } } }], ...more },
    },
  },
})
