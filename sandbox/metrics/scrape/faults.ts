import { Pod as PodKind } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Pod } from '../../kube/objects.ts'
import type { ScrapeFaults } from './scrape-loop.ts'
import type { Target } from './target.ts'

/** What is broken on the way from pods to Prometheus servers; several at once add up. Each call returns how to undo it. */
export class ScrapeFaultBoard {
  private readonly broken = new Set<(pod: Pod) => boolean>()
  private readonly hidden = new Set<(metric: string, pod: Pod) => boolean>()

  /** Scrapes of matching pods get no answer. */
  breakScrapes(match: (pod: Pod) => boolean): () => void {
    return register(this.broken, match)
  }

  /** Matching pods answer scrapes without these series. */
  hideSeries(match: (metric: string, pod: Pod) => boolean): () => void {
    return register(this.hidden, match)
  }

  /** As a Prometheus with this client meets them. */
  of(kube: Kube): ScrapeFaults {
    const podOf = (target: Target) => (target.podKey === undefined ? undefined : kube.get(PodKind, target.podKey))
    return {
      broken: (target) => {
        if (this.broken.size === 0) return false
        const pod = podOf(target)
        return pod !== undefined && [...this.broken].some((match) => match(pod))
      },
      hidden: (target) => {
        if (this.hidden.size === 0) return undefined
        const pod = podOf(target)
        return pod && ((metric) => [...this.hidden].some((match) => match(metric, pod)))
      },
    }
  }
}

function register<T>(to: Set<T>, match: T): () => void {
  // the same function twice is two faults
  const entry = ((...args: never[]) => (match as (...args: never[]) => boolean)(...args)) as T
  to.add(entry)
  return () => to.delete(entry)
}
