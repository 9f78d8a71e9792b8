import type { Kube } from '../../kube/kube.ts'
import type { RunningNode } from '../../nodes/node.ts'
import type { Levers, NoticeHandling } from '../../tiers/tier.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { reclaim, type TerminationHandler } from './reclaim.ts'

export interface NodeLeversOptions {
  readonly world: World
  /** By name; asked anew at each pull, so machines that came later count. */
  readonly nodes: ReadonlyMap<string, RunningNode>
  /** The client of a process that acts on the notice of a reclaim. */
  readonly kubeOf: (process: string) => Kube
  /** Deletes the NodeClaim of a node after that time; false where it has none. */
  readonly interrupt?: ((node: string, after: Us) => boolean) | undefined
}

type NodeLevers = Required<Pick<Levers, 'node.power' | 'node.network' | 'node.reclaim' | 'gpu.health'>>

/** The levers of simulated nodes. Each throws a RangeError for a node, GPU or Xid that is not known. */
export function nodeLevers({ world, nodes, kubeOf, interrupt }: NodeLeversOptions): NodeLevers {
  const find = (name: string): RunningNode => {
    const node = nodes.get(name)
    if (!node) throw new RangeError(`no node ${name}; there are ${[...nodes.keys()].join(', ') || 'none'}`)
    return node
  }
  const handlerOf = (handling: NoticeHandling, node: string): TerminationHandler =>
    handling.kind === 'drain' ? { ...handling, kube: kubeOf(`termination-handler/${node}`) } : handling
  return {
    'node.power': (name) => {
      const node = find(name)
      node.powerOff()
      return () => node.powerOn()
    },
    'node.network': (name) => find(name).disconnect(),
    'node.reclaim': (name, notice, handling) => {
      const claimed =
        handling?.kind === 'drain' && handling.byClaim && interrupt?.(name, handling.reactsAfter ?? seconds(2))
      const handler = handling && !claimed ? handlerOf(handling, name) : undefined
      reclaim(find(name), { world, notice, ...(handler ? { handler } : {}) })
      return () => undefined
    },
    'gpu.health': (name, which, { xid }) => {
      const node = find(name)
      const gpu =
        typeof which === 'number'
          ? node.gpus[which]
          : node.gpus.find((id) => node.holderOf(id)?.podUid === which.ofPodUid)
      if (gpu === undefined)
        throw new RangeError(
          typeof which === 'number'
            ? `${name} has no GPU ${which}: it has ${node.gpus.length}`
            : `no GPU of ${name} is held by pod ${which.ofPodUid}`,
        )
      return node.failGpu(gpu, xid)
    },
  }
}
