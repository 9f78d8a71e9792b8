import type { Kube } from '../../kube/kube.ts'
import type { PodNetwork } from '../../network/pod-network.ts'
import type { RunningNode } from '../../nodes/node.ts'
import type { Registry } from '../../nodes/registry.ts'
import type { Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { Monitoring } from './monitoring.ts'
import type { RunningPrograms } from './running-programs.ts'

/** What a sandbox with simulated nodes is made of, for its levers. */
export interface SandboxParts {
  readonly world: World
  readonly network: PodNetwork
  readonly registry: Registry
  readonly programs: RunningPrograms
  readonly monitoring: Monitoring
  readonly kubeOf: (process: string) => Kube
  /** By name. */
  readonly nodes: ReadonlyMap<string, RunningNode>
  /** What the cloud has none of now. */
  readonly soldOut: Set<string>
  /** Karpenter's answer to the notice that a node will be taken back; false where it did not make the node. */
  readonly interrupt?: ((node: string, after: Us) => boolean) | undefined
}
