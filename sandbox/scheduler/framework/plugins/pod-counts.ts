import type { Selector } from '../../../kube/selectors.ts'
import type { NodeInfo } from '../node-info.ts'

/** Counters kept for reuse in later cycles. */
const KEPT_MAX = 64

/** Counts the pods on nodes that a selector means, anew only where pods have changed since. */
export class PodCounts {
  private readonly counters = new Map<string, PodCounter>()

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
}

export class PodCounter {
  private readonly selector: Selector
  private readonly namespace: string
  private readonly generations: number[] = []
  private readonly counts: number[] = []

  constructor(selector: Selector, namespace: string) {
    this.selector = selector
    this.namespace = namespace
  }

  /** Follows plugins/podtopologyspread/common.go countPodsMatchSelector: an empty selector counts nothing. */
  on(node: NodeInfo): number {
    const { slot } = node
    if (slot < 0) return this.count(node)
    if (this.generations[slot] !== node.generation) {
      this.counts[slot] = this.count(node)
      this.generations[slot] = node.generation
    }
    return this.counts[slot]!
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
