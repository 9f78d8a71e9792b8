import { randomStream } from '../../../sandbox/world/random.ts'
import { chanceOf } from '../chance.ts'
import type { RandomPlatform } from '../platform.ts'
import { randomNodeAutoscaler, randomNodes } from './nodes.ts'
import { randomBudgets, randomPolicies } from './policies.ts'
import { randomMonitoring, randomScalers } from './scalers.ts'
import { randomWorkload } from './workloads.ts'

/** The platform of a number: always the same. */
export function randomPlatform(number: number): RandomPlatform {
  const chance = chanceOf(randomStream(number, 'platform'))
  // on half of them pods have room to move: there budgets bite, and drains end
  const roomy = chance.yes(0.5)
  const nodes = randomNodes(chance, roomy)
  const nodeAutoscaler = chance.maybe(0.25, () => randomNodeAutoscaler(chance, nodes))
  const namespaces = chance.yes(0.3) ? ['default', 'team'] : ['default']
  const policies = randomPolicies(chance, namespaces)
  const priorityClasses = policies.flatMap(({ kind, metadata }) => (kind === 'PriorityClass' ? [metadata.name] : []))
  const made = Array.from({ length: chance.whole(roomy ? 2 : 1, 4) }, (_, i) =>
    randomWorkload(chance, { name: `w${i}`, namespace: chance.oneOf(namespaces), priorityClasses, roomy }),
  )
  const workloads = made.map(({ workload }) => workload)
  return {
    nodes,
    objects: [
      ...namespaces
        .filter((name) => name !== 'default')
        .map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...policies,
      ...randomBudgets(chance, workloads, roomy),
      ...made.flatMap(({ objects }) => objects),
      ...randomScalers(chance, workloads),
    ],
    monitoring: randomMonitoring(chance),
    ...(nodeAutoscaler ? { nodeAutoscaler } : {}),
    workloads,
    imageBytes: chance.oneOf([1e8, 2e9, 9e9]),
    registryBytesPerSecond: chance.oneOf([1e8, 1e9]),
  }
}
