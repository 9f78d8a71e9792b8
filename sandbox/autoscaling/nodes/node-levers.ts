import type { RunningNode } from '../../nodes/node.ts'
import type { Levers } from '../../tiers/tier.ts'
import type { World } from '../../world/world.ts'
import { reclaim, type TerminationHandler } from './reclaim.ts'

export interface NodeLeversOptions {
  readonly world: World
  /** By name; asked anew at each pull, so machines that came later count. */
  readonly nodes: ReadonlyMap<string, RunningNode>
  /** Who acts on the notice of a reclaim: what the platform runs. */
  readonly handlerOf?: (node: string) => TerminationHandler | undefined
}

type NodeLevers = Required<Pick<Levers, 'node.power' | 'node.network' | 'node.reclaim' | 'gpu.health'>>

/** The levers of simulated nodes. Each throws a RangeError for a node, GPU or Xid that is not known. */
export function nodeLevers({ world, nodes, handlerOf }: NodeLeversOptions): NodeLevers {
  const find = (name: string): RunningNode => {
    const node = nodes.get(name)
    if (!node) throw new RangeError(`no node ${name}; there are ${[...nodes.keys()].join(', ') || 'none'}`)
    return node
  }
  return {
    'node.power': (name) => {
      const node = find(name)
      node.powerOff()
      return () => node.powerOn()
    },
    'node.network': (name) => find(name).disconnect(),
    'node.reclaim': (name, notice) => {
      const handler = handlerOf?.(name)
      reclaim(find(name), { world, notice, ...(handler ? { handler } : {}) })
      return () => undefined
    },
    'gpu.health': (name, index, { xid }) => {
      const node = find(name)
      const gpu = node.gpus[index]
      if (gpu === undefined) throw new RangeError(`${name} has no GPU ${index}: it has ${node.gpus.length}`)
      return node.failGpu(gpu, xid)
    },
  }
}
