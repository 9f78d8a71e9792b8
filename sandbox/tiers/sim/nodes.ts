import type { StoreKube } from '../../kube/store-kube.ts'
import type { PodNetwork } from '../../network/pod-network.ts'
import { kubeletFields, type RunningNode, startNode } from '../../nodes/node.ts'
import { nodeAddresses } from '../../nodes/node-object.ts'
import type { Registry } from '../../nodes/registry.ts'
import type { World } from '../../world/world.ts'
import type { ProgramFor, SandboxOptions } from '../tier.ts'

type Fields = ReturnType<typeof kubeletFields>

export interface NodesOptions extends SandboxOptions {
  readonly world: World
  readonly network: PodNetwork
  readonly kubeOf: (process: string, fields: Fields) => StoreKube
  readonly registry: Registry
  readonly programFor: ProgramFor
}

/** Starts the nodes of every group: named `<group>-<index>`, each with an address and a /24 for its pods. By name. */
export function startNodes(options: NodesOptions): Map<string, RunningNode> {
  const { world, network, kubeOf, programFor, registry, registryBytesPerSecond } = options
  let index = 0
  const started = options.nodes.flatMap((group) =>
    Array.from({ length: group.count }, (_, i) => {
      const name = `${group.name}-${i}`
      const n = index++
      const { count: _count, name: _name, taints, images, ...shape } = group
      return startNode({
        world,
        network,
        registry,
        programFor,
        kube: kubeOf(`kubelet/${name}`, kubeletFields(name)),
        pullBytesPerSecond: registryBytesPerSecond,
        node: {
          ...shape,
          name,
          ...(taints ? { taints: [...taints] } : {}),
          ...(images ? { images } : {}),
          ...nodeAddresses(n),
        },
      })
    }),
  )
  return new Map(started.map((node) => [node.name, node]))
}
