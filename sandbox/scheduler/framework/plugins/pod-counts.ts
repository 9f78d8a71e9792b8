import type { Selector } from '../../../kube/selectors.ts'
import { NodeColumn } from '../node-column.ts'
import type { NodeInfo } from '../node-info.ts'

/** Counters kept for reuse in later cycles. */
const KEPT_MAX = 64

/** Counts the pods on nodes that a selector means, anew only where pods have changed since. */
export class PodCounts {
  private readonly counters = new Map<string, PodCounter>()
  private readonly labels = new Map<string, NodeColumn<string | undefined>>()

  /** A counter of pods of the namespace that are not being deleted. */
  of(selector: Selector, namespace: string): PodCounter {
    const key = `${namespace}/${selector.text}`
    let counter = this.counters.get(key)
    if (counter) this.counters.delete(key)
    else counter = new PodCounter(selector, namespace)
    this.counters.set(key, counter)
    if (this.counters.size > KEPT_MAX) this.counters.delete(this.counters.keys().next().value!)
    return counter
  }

  /** The nodes' values of a label. */
  labelOf(key: string): NodeColumn<string | undefined> {
    let column = this.labels.get(key)
    if (column) return column
    column = new NodeColumn(({ node }) => node!.metadata.labels?.[key])
    this.labels.set(key, column)
    return column
  }
}

export class PodCounter {
  private readonly selector: Selector
  private readonly namespace: string
  private readonly counts = new NodeColumn((node) => this.count(node))
  private readonly sums = new Map<NodeColumn<string | undefined>, TopologySums>()

  constructor(selector: Selector, namespace: string) {
    this.selector = selector
    this.namespace = namespace
  }

  /** Follows plugins/podtopologyspread/common.go countPodsMatchSelector: an empty selector counts nothing. */
  on(node: NodeInfo): number {
    return this.counts.at(node)
  }

  /** The counts of all `nodes` by value of a label; '' stands for nodes without it. */
  byValue(label: NodeColumn<string | undefined>, nodes: readonly NodeInfo[]): ReadonlyMap<string, number> {
    let sums = this.sums.get(label)
    if (!sums) {
      sums = new TopologySums(this.counts, label)
      this.sums.set(label, sums)
    }
    return sums.over(nodes)
  }

  private count({ pods }: NodeInfo): number {
    if (this.selector.empty) return 0
    let count = 0
    for (const { pod } of pods) {
      if (pod.metadata.deletionTimestamp || pod.metadata.namespace !== this.namespace) continue
      if (this.selector.matches(pod.metadata.labels)) count++
    }
    return count
  }
}

/** Counts summed up by a label's value, corrected where nodes have changed since. */
class TopologySums {
  private readonly counts: NodeColumn<number>
  private readonly label: NodeColumn<string | undefined>
  private readonly sums = new Map<string, number>()
  private nodes: readonly NodeInfo[] = []
  /** By place in `nodes`: what the sums hold of it. */
  private generations = new Float64Array(0)
  private values: string[] = []
  private counted = new Int32Array(0)

  constructor(counts: NodeColumn<number>, label: NodeColumn<string | undefined>) {
    this.counts = counts
    this.label = label
  }

  over(nodes: readonly NodeInfo[]): ReadonlyMap<string, number> {
    if (nodes !== this.nodes) this.restart(nodes)
    const { generations, values, counted, sums } = this
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!
      if (generations[i] === node.generation) continue
      if (generations[i] !== -1) sums.set(values[i]!, sums.get(values[i]!)! - counted[i]!)
      const value = this.label.at(node) ?? ''
      const count = this.counts.at(node)
      sums.set(value, (sums.get(value) ?? 0) + count)
      generations[i] = node.generation
      values[i] = value
      counted[i] = count
    }
    return sums
  }

  private restart(nodes: readonly NodeInfo[]): void {
    this.nodes = nodes
    this.sums.clear()
    this.values = new Array<string>(nodes.length).fill('')
    this.counted = new Int32Array(nodes.length)
    this.generations = new Float64Array(nodes.length).fill(-1)
  }
}
