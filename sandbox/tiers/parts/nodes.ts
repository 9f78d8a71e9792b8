import type { Kube } from '../../kube/kube.ts'
import type { PodNetwork } from '../../network/pod-network.ts'
import { kubeletFields, type RunningNode, startNode } from '../../nodes/node.ts'
import type { NodeLeases } from '../../nodes/node-leases.ts'
import { type KubeletAddress, type NodeSpec, nodeAddresses } from '../../nodes/node-object.ts'
import type { Registry } from '../../nodes/registry.ts'
import type { World } from '../../world/world.ts'
import type { SandboxOptions } from '../tier.ts'
import type { Monitoring } from './monitoring.ts'

type Fields = ReturnType<typeof kubeletFields>

/** What nodes are started with. */
export interface NodeParts
  extends Pick<SandboxOptions, 'nodes' | 'nodeAutoscaler' | 'karpenter' | 'programFor' | 'registryBytesPerSecond'> {
  readonly world: World
  readonly network: PodNetwork
  readonly kubeOf: (process: string, fields?: Fields) => Kube
  readonly registry: Registry
  /** Where renewals of leases are worked out; left out: kubelets write them. */
  readonly leases?: NodeLeases
  readonly monitoring: Pick<Monitoring, 'nodeAdded' | 'nodeRemoved'>
  /** Where the kubelets answer the API server; left out: nowhere. */
  readonly kubeletApi?: KubeletAddress
  /** What the cloud has none of now. */
  readonly soldOut: ReadonlySet<string>
  /** Where the nodes are put, by name; machines that are gone stay in it. */
  readonly running: Map<string, RunningNode>
}

/** Starts the nodes of every group: named `<group>-<index>`, each with an address and a /24 for its pods. */
export function startNodes(parts: NodeParts): void {
  for (const { count, name: groupName, taints, images, min: _min, max: _max, nodePool: _pool, ...shape } of parts.nodes)
    for (let i = 0; i < count; i++)
      startOne(parts, {
        ...shape,
        name: `${groupName}-${i}`,
        ...(taints ? { taints: [...taints] } : {}),
        ...(images ? { images } : {}),
        ...nodeAddresses(parts.running.size),
      })
}

/** Starts one node; its GPUs are there when its device plugin has registered, `pluginDelay` later. */
export function startOne(parts: NodeParts, node: NodeSpec, pluginDelay?: number): RunningNode {
  const { world, network, kubeOf, programFor, registry, leases, monitoring, running, kubeletApi } = parts
  const { name, ip, gpu } = node
  const on = gpu ? { gpuProduct: gpu.product } : {}
  const started = startNode({
    world,
    network,
    registry,
    ...(leases ? { leases } : { renewLease: true }),
    ...(kubeletApi ? { kubeletApi } : {}),
    mountsClaims: true,
    programFor: (pod, container) => programFor(pod, container, on),
    kube: kubeOf(`kubelet/${name}`, kubeletFields(name)),
    pullBytesPerSecond: parts.registryBytesPerSecond,
    node,
    ...(pluginDelay === undefined ? {} : { pluginDelay }),
  })
  running.set(name, started)
  monitoring.nodeAdded({
    name,
    ip,
    gpus: started.gpus,
    ...(gpu ? { gpu } : {}),
    containerStats: () => started.containerStats(),
  })
  return started
}
