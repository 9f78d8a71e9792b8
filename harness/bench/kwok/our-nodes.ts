/** A process of nodes, ours: `our-nodes.ts KUBECONFIG NODES full|least`. Ends when its input does. */
import { readFileSync } from 'node:fs'
import { Journal } from '../../../sandbox/journal/journal.ts'
import { Node, Pod } from '../../../sandbox/kube/kinds.ts'
import { raisedQps } from '../../../sandbox/kube/lag.ts'
import { RemoteCluster } from '../../../sandbox/kube/remote/remote-cluster.ts'
import { openRest } from '../../../sandbox/kube/remote/rest.ts'
import { PodNetwork } from '../../../sandbox/network/pod-network.ts'
import { kubeletFields, startNode } from '../../../sandbox/nodes/node.ts'
import { plainPrograms } from '../../../sandbox/nodes/plain-program.ts'
import { Registry } from '../../../sandbox/nodes/registry.ts'
import type { NodeTimings } from '../../../sandbox/nodes/timings.ts'
import type { Traffic } from '../../../sandbox/nodes/traffic.ts'
import { WallClock } from '../../../sandbox/world/wall-clock.ts'
import { createWorld } from '../../../sandbox/world/world.ts'
import { nodeSpec } from './shape.ts'

const [file, count, traffic] = process.argv.slice(2) as [string, string, Traffic]

/** A runtime that takes no time, as in the stages kwok takes by default. */
const noTime: NodeTimings = {
  ...{ createSandbox: 0, stopSandbox: 0, createContainer: 0, startContainer: 0, kill: 0 },
  ...{ mountVolumes: 0, unmountVolumes: 0, relist: 0, resolveImage: 0 },
}

const clock = new WallClock()
const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
const cluster = new RemoteCluster({
  world,
  rest: await openRest({ kubeconfig: readFileSync(file, 'utf8') }),
  limits: raisedQps.clients,
})
await cluster.sync(Node, Pod)
const network = new PodNetwork()
const registry = new Registry({ clock, images: () => ({ sizeBytes: 1e9 }) })
const programFor = plainPrograms()
for (let i = 0; i < Number(count); i++) {
  const node = nodeSpec(i)
  startNode({
    ...{
      world,
      node,
      network,
      registry,
      programFor,
      traffic,
      timings: noTime,
      renewLease: true,
      pullBytesPerSecond: 4e8,
    },
    kube: cluster.kubeOf(`kubelet/${node.name}`, kubeletFields(node.name)),
  })
}
process.stdin.resume().on('end', () => process.exit(0))
