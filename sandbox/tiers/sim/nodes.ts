import type { StoreKube } from '../../kube/store-kube.ts'
import type { PodNetwork } from '../../network/pod-network.ts'
import { kubeletFields, type RunningNode, startNode } from '../../nodes/node.ts'
import type { NodeLeases } from '../../nodes/node-leases.ts'
import { nodeAddresses } from '../../nodes/node-object.ts'
import type { Registry } from '../../nodes/registry.ts'
import type { World } from '../../world/world.ts'
import type { NodeGroup, ProgramFor, SandboxOptions } from '../tier.ts'
import type { Monitoring } from './monitoring.ts'

type Fields = ReturnType<typeof kubeletFields>

export interface NodesOptions extends Pick<SandboxOptions, 'registryBytesPerSecond'> {
  readonly world: World
  readonly network: PodNetwork
  readonly kubeOf: (process: string, fields: Fields) => StoreKube
  readonly registry: Registry
  readonly leases: NodeLeases
  readonly monitoring: Pick<Monitoring, 'nodeAdded'>
  readonly programFor: ProgramFor
  /** Where the nodes are put, by name. */
  readonly running: Map<string, RunningNode>
  readonly nodes: readonly NodeGroup[]
}

/** Starts the nodes of every group: named `<group>-<index>`, each with an address and a /24 for its pods. */
export function startNodes(options: NodesOptions): void {
  const { world, network, kubeOf, programFor, registry, leases, monitoring, running } = options
  for (const { count, name: groupName, taints, images, ...shape } of options.nodes)
    for (let i = 0; i < count; i++) {
      const name = `${groupName}-${i}`
      const addresses = nodeAddresses(running.size)
      const node = startNode({
        world,
        network,
        registry,
        leases,
        mountsClaims: true,
        programFor,
        kube: kubeOf(`kubelet/${name}`, kubeletFields(name)),
        pullBytesPerSecond: options.registryBytesPerSecond,
        node: {
          ...shape,
          name,
          ...(taints ? { taints: [...taints] } : {}),
          ...(images ? { images } : {}),
          ...addresses,
        },
      })
      running.set(name, node)
      monitoring.nodeAdded({
        name,
        ip: addresses.ip,
        gpus: node.gpus,
        ...(shape.gpu ? { gpu: shape.gpu } : {}),
        containerStats: () => node.containerStats(),
      })
    }
}
