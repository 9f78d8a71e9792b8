import { gpus } from '../../../fixtures/gpus/index.ts'
import type { NodeGroup } from '../../../sandbox/tiers/tier.ts'
import type { Chance } from '../chance.ts'

/** The key of the taint GPU nodes often have; workloads with GPUs tolerate it. */
export const GPU_TAINT = 'nvidia.com/gpu'
/** Of nodes kept for some team; nobody tolerates it but DaemonSets that tolerate all. */
const TEAM_TAINT = 'example.com/team'

const nvidia = gpus.filter(({ product }) => !product.startsWith('AMD'))

/** One to three groups of one to four nodes; the first has GPUs most of the time. */
export function randomNodes(chance: Chance): NodeGroup[] {
  const groups = chance.whole(1, 3)
  return Array.from({ length: groups }, (_, i) => {
    const hasGpus = i === 0 ? chance.yes(0.9) : chance.yes(0.4)
    const spec = chance.oneOf(nvidia)
    const gpu = { product: spec.product, memoryBytes: spec.memoryBytes, count: chance.oneOf([1, 2, 4, 8]) }
    const taints = [
      ...(hasGpus && chance.yes(0.4) ? [{ key: GPU_TAINT, value: 'present', effect: 'NoSchedule' as const }] : []),
      ...(i > 0 && chance.yes(0.15)
        ? [{ key: TEAM_TAINT, value: 'x', effect: chance.oneOf(['NoSchedule', 'PreferNoSchedule'] as const) }]
        : []),
    ]
    return {
      name: `group${i}`,
      count: chance.whole(1, 4),
      cpu: chance.oneOf(['4', '8', '32']),
      memory: chance.oneOf(['16Gi', '64Gi', '256Gi']),
      ...(hasGpus ? { gpu } : {}),
      labels: {
        pool: `pool${chance.whole(0, 1)}`,
        'topology.kubernetes.io/zone': `zone-${'abc'[i % 3]}`,
      },
      ...(taints.length > 0 ? { taints } : {}),
    }
  })
}
