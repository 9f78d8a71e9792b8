import { descheduler } from '../../controllers/descheduler.ts'
import { PodNetwork } from '../../network/pod-network.ts'
import type { RunningNode } from '../../nodes/node.ts'
import type { NodeLeases } from '../../nodes/node-leases.ts'
import { Registry } from '../../nodes/registry.ts'
import type { Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { MonitoringOptions } from '../monitoring-options.ts'
import type { Levers, SandboxOptions } from '../tier.ts'
import { leversOf } from './levers.ts'
import { startKarpenter, startNodeAutoscaler } from './machines.ts'
import { type Monitoring, startMonitoring } from './monitoring.ts'
import { type NodeParts, startNodes } from './nodes.ts'
import { RunningPrograms } from './running-programs.ts'
import { WaysIn } from './ways-in.ts'

interface StartOptions {
  readonly world: World
  /** The client of a process. */
  readonly kubeOf: NodeParts['kubeOf']
  readonly options: SandboxOptions
  /** Where renewals of leases are worked out; left out: kubelets write them. */
  readonly leases?: NodeLeases
  /** Where the kubelets answer the API server; left out: nowhere. */
  readonly kubeletApi?: NodeParts['kubeletApi']
  /** Starts the controllers that are ours on this tier, before there are nodes. */
  startControllers(parts: Pick<Parts, 'monitoring' | 'nodes'>): void
}

/** What of a sandbox is ours on every tier with simulated nodes. */
interface Parts {
  readonly network: PodNetwork
  readonly monitoring: Monitoring
  /** By name; machines that are gone stay in it. */
  readonly nodes: ReadonlyMap<string, RunningNode>
  readonly levers: Levers
  readonly ways: WaysIn
}

const NO_MONITORING: MonitoringOptions = { metricsServer: false, prometheus: [], keda: false }

/** Starts monitoring, nodes, what adds and removes them, and who acts on pods from outside the control plane. */
export function startParts({ world, kubeOf, options, leases, kubeletApi, startControllers }: StartOptions): Parts {
  const network = new PodNetwork()
  const programs = new RunningPrograms()
  const nodes = new Map<string, RunningNode>()
  const { lag, monitoring: measured = NO_MONITORING, descheduler: moves } = options
  const monitoring = startMonitoring({ world, network, kubeOf, options: { lag, monitoring: measured } })
  startControllers({ monitoring, nodes })
  const registry = new Registry({ clock: world.clock, images: (image) => ({ sizeBytes: options.imageBytes(image) }) })
  const soldOut = new Set(options.karpenter?.noCapacity)
  const parts: NodeParts = {
    ...options,
    ...{ soldOut, world, network, registry, monitoring, kubeOf },
    ...(leases ? { leases } : {}),
    ...(kubeletApi ? { kubeletApi } : {}),
    running: nodes,
    programFor: (pod, container, on) => programs.around(options.programFor(pod, container, on), pod),
  }
  startNodes(parts)
  startNodeAutoscaler(parts)
  const claims = startKarpenter(parts)
  const interrupt = claims && ((node: string, after: Us) => claims.interrupt(node, after))
  const levers = leversOf({ world, network, registry, programs, nodes, kubeOf, monitoring, interrupt, soldOut })
  if (moves) world.spawn('descheduler', descheduler(kubeOf('descheduler'), moves))
  const ways = new WaysIn({ world, network, kubeOf, entryNode: `${options.nodes[0]?.name ?? 'node'}-0` })
  return { network, monitoring, nodes, levers, ways }
}

/** Whom the sandbox has, in words. */
export const partsPlan = ({ nodes, karpenter }: Pick<SandboxOptions, 'nodes' | 'karpenter'>): string[] => [
  ...nodes.map(
    ({ name, count, gpu, nodePool }) =>
      `${nodePool ? 'bought' : `${count} ×`} ${name}${gpu ? ` with ${gpu.count} × ${gpu.product}` : ''}, simulated`,
  ),
  ...(karpenter ? [`Karpenter, with ${karpenter.catalogue.length} instance types to buy from`] : []),
]

/** `scheduler`, or with the profiles it is configured with. */
export function schedulersText(schedulers: SandboxOptions['schedulers']): string {
  const names = schedulers?.flatMap(({ configuration }) => configuration?.profiles.map((p) => p.schedulerName) ?? [])
  const text = schedulers && schedulers.length > 1 ? `${schedulers.length} schedulers` : 'scheduler'
  return names?.length ? `${text} (profiles ${names.join(', ')})` : text
}
