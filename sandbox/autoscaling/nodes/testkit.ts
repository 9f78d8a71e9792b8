import { H100, type NodeClusterOptions, nodeCluster } from '../../controllers/node-lifecycle/testkit.ts'
import type { RunningNode } from '../../nodes/node.ts'
import { nodeAddresses } from '../../nodes/node-object.ts'
import { type MachinePark, type MachineShape, nodeSpecOf } from './machines.ts'

/** A machine with GPUs, and one without, for tests. */
export const gpuShape = (count = 8, more: Partial<MachineShape> = {}): MachineShape => ({
  cpu: '192',
  memory: '2Ti',
  gpu: { ...H100, count },
  zone: 'a',
  ...more,
})

export const cpuShape: MachineShape = { cpu: '16', memory: '64Gi', zone: 'a' }

/** A cluster whose machines come and go. `capacity` is what the cloud has of each; without end when left out. */
export function elasticCluster(options: Partial<NodeClusterOptions> & { capacity?: (shape: MachineShape) => boolean }) {
  const cluster = nodeCluster({ nodes: 1, ...options })
  const machines = new Map<string, RunningNode>(cluster.nodes.map((node) => [node.name, node]))
  let index = cluster.nodes.length
  const park: MachinePark = {
    addNode(name, shape, pluginDelay) {
      const spec = { ...nodeSpecOf(name, shape, nodeAddresses(index++)), images: ['x'] }
      const node = cluster.machine(spec, { pluginDelay })
      machines.set(name, node)
      return node
    },
    removeNode: (name) => machines.get(name)?.destroy(),
    ...(options.capacity ? { hasCapacity: options.capacity } : {}),
  }
  const running = () => [...machines.values()].filter(({ power }) => power === 'on').map(({ name }) => name)
  return { ...cluster, park, machines, running }
}
