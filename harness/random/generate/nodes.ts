import { gpus } from '../../../fixtures/gpus/index.ts'
import type { NodeAutoscalerOptions } from '../../../sandbox/tiers/node-autoscaler-options.ts'
import type { NodeGroup } from '../../../sandbox/tiers/tier.ts'
import { seconds, type Us } from '../../../sandbox/world/time.ts'
import type { Chance } from '../chance.ts'

/** The key of the taint GPU nodes often have; workloads with GPUs tolerate it. */
export const GPU_TAINT = 'nvidia.com/gpu'
/** Of nodes kept for some team; nobody tolerates it but DaemonSets that tolerate all. */
const TEAM_TAINT = 'example.com/team'

const nvidia = gpus.filter(({ product }) => !product.startsWith('AMD'))

/** One to three groups of one to four nodes, or more and larger ones where pods are to have room to move; the first has GPUs most of the time. */
export function randomNodes(chance: Chance, roomy: boolean): NodeGroup[] {
  const groups = chance.whole(1, roomy ? 2 : 3)
  return Array.from({ length: groups }, (_, i) => {
    const hasGpus = i === 0 ? chance.yes(0.9) : chance.yes(0.4)
    const spec = chance.oneOf(nvidia)
    const gpu = { product: spec.product, memoryBytes: spec.memoryBytes, count: chance.oneOf([1, 2, 4, 8]) }
    const taints = [
      ...(hasGpus && chance.yes(roomy ? 0.1 : 0.4)
        ? [{ key: GPU_TAINT, value: 'present', effect: 'NoSchedule' as const }]
        : []),
      ...(i > 0 && chance.yes(0.15)
        ? [{ key: TEAM_TAINT, value: 'x', effect: chance.oneOf(['NoSchedule', 'PreferNoSchedule'] as const) }]
        : []),
    ]
    return {
      name: `group${i}`,
      count: roomy ? chance.whole(3, 6) : chance.whole(1, 4),
      cpu: roomy ? '32' : chance.oneOf(['4', '8', '32']),
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

/** What adds and removes nodes of some groups: emptier ones are consolidated after ten minutes. */
export function randomNodeAutoscaler(chance: Chance, nodes: readonly NodeGroup[]): NodeAutoscalerOptions {
  const second = toSecondsOf(chance)
  return {
    kind: 'cluster-autoscaler',
    groups: nodes
      .filter(() => chance.yes(0.8))
      .map(({ name, count }) => ({ name, min: chance.whole(0, 1), max: count + chance.whole(0, 2) })),
    delays: { register: second(10, 120), devicePlugin: second(5, 120), refusal: second(1, 10) },
  }
}

const toSecondsOf =
  (chance: Chance) =>
  (low: number, high: number): Us =>
    seconds(chance.whole(low, high))
