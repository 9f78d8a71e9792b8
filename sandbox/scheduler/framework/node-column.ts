import type { NodeInfo } from './node-info.ts'

/** One fact of each node, worked out again only where the node has changed since. */
export class NodeColumn<T> {
  private readonly of: (node: NodeInfo) => T
  private readonly values: T[] = []
  private generations = new Float64Array(64).fill(-1)

  constructor(of: (node: NodeInfo) => T) {
    this.of = of
  }

  at(node: NodeInfo): T {
    const { slot, generation } = node
    if (slot < 0) return this.of(node)
    if (slot >= this.generations.length) this.generations = widened(this.generations, slot)
    if (this.generations[slot] !== generation) {
      this.values[slot] = this.of(node)
      this.generations[slot] = generation
    }
    return this.values[slot]!
  }
}

/** Room for `slot`; -1 is the generation of no node. */
export function widened(generations: Float64Array, slot: number): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(Math.max(64, 2 * slot + 2)).fill(-1)
  wider.set(generations)
  return wider
}
