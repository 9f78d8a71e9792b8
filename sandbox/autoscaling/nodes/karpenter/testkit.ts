import { Deployment, NodePool } from '../../../kube/kinds.ts'
import type * as o from '../../../kube/objects.ts'
import { isFinished } from '../../../kube/pods.ts'
import type { MachineShape, ProvisioningDelays } from '../machines.ts'
import { elasticCluster, gpuShape } from '../testkit.ts'
import type { InstanceType, Offering } from './candidates.ts'
import { runKarpenter } from './karpenter.ts'

const offerings = (pricePerHour: number, zones = ['a', 'b']): Offering[] =>
  zones.flatMap((zone) => [
    { zone, capacityType: 'on-demand' as const, pricePerHour },
    { zone, capacityType: 'spot' as const, pricePerHour: pricePerHour * 0.4 },
  ])

const type = (name: string, gpus: number, price: number): InstanceType => {
  const { cpu, memory, gpu } = gpuShape(gpus)
  return { name, shape: { cpu, memory, ...(gpu ? { gpu } : {}) }, offerings: offerings(price) }
}

export const catalogue: readonly InstanceType[] = [
  type('p5.48xlarge', 8, 98),
  type('p5.24xlarge', 4, 52),
  type('p5.4xlarge', 1, 14),
]

type PoolSpec = Partial<Omit<o.NodePool['spec'], 'template'>> & { template?: Partial<o.NodeClaimSpec> }

export const pool = (name: string, { template, ...spec }: PoolSpec = {}): o.NodePool =>
  ({
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name },
    spec: {
      disruption: {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfter: '30s',
        budgets: [{ nodes: '100%' }],
      },
      ...spec,
      template: {
        spec: {
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
          expireAfter: 'Never',
          ...template,
        },
      },
    },
  }) as unknown as o.NodePool

export function setup(
  pools: readonly o.NodePool[],
  options: { capacity?: (shape: MachineShape) => boolean; delays?: ProvisioningDelays } = {},
) {
  const { delays, ...rest } = options
  const c = elasticCluster(rest)
  for (const p of pools) c.store.create(NodePool, p, 'kubectl')
  const kube = c.kube('karpenter')
  const claims = runKarpenter({ world: c.world, kube, park: c.park, catalogue, ...(delays ? { delays } : {}) })
  return { ...c, claims, types: () => [...claims.all.values()].map(({ candidate }) => candidate.key).sort() }
}

export const alive = (c: ReturnType<typeof setup>) =>
  c.pods().filter((pod) => !isFinished(pod) && !pod.metadata.deletionTimestamp)

export const scale = (c: ReturnType<typeof setup>, replicas: number) =>
  c.store.patch(Deployment, 'default/web', { spec: { replicas } }, 'kubectl')
