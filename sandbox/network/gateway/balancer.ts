import type { RandomStream } from '../../world/random.ts'
import type { ProxyEndpoint } from '../service-rules.ts'
import type { Upstreams } from './endpoint-view.ts'
import type { Balancing } from './rule.ts'

export const addressOf = ({ ip, port }: ProxyEndpoint): string => `${ip}:${port}`

/** How often another endpoint is looked for when one was tried before: `host_selection_retry_max_attempts`. */
const RESELECTIONS = 5

/** Chooses among the endpoints of one Service port, and knows how many requests each has. */
export class Balancer {
  private readonly random: RandomStream
  private readonly balancing: Balancing
  private readonly active = new Map<string, number>()
  private next = 0

  constructor(random: RandomStream, balancing: Balancing) {
    this.random = random
    this.balancing = balancing
  }

  /** An endpoint, if there is any; rather none of those `tried`. */
  pick(upstreams: Upstreams, tried: ReadonlySet<string>): ProxyEndpoint | undefined {
    const candidates = this.usable(upstreams)
    if (candidates.length === 0) return undefined
    let chosen = this.choose(candidates)
    for (let i = 1; i < RESELECTIONS && tried.has(addressOf(chosen)); i++) chosen = this.choose(candidates)
    return chosen
  }

  began(endpoint: ProxyEndpoint): void {
    const address = addressOf(endpoint)
    this.active.set(address, (this.active.get(address) ?? 0) + 1)
  }

  ended(endpoint: ProxyEndpoint): void {
    const address = addressOf(endpoint)
    const left = (this.active.get(address) ?? 1) - 1
    if (left > 0) this.active.set(address, left)
    else this.active.delete(address)
  }

  /** Follows isHostSetInPanic of source/extensions/load_balancing_policies/common/load_balancer_impl.cc. */
  private usable({ healthy, all }: Upstreams): readonly ProxyEndpoint[] {
    return all.length > 0 && (100 * healthy.length) / all.length < this.balancing.panicPercent ? all : healthy
  }

  private choose(candidates: readonly ProxyEndpoint[]): ProxyEndpoint {
    const { balancer } = this.balancing
    if (balancer === 'round-robin') return candidates[this.next++ % candidates.length]!
    const first = candidates[this.random.int(candidates.length)]!
    if (balancer === 'random') return first
    // Envoy's least request: the better of two drawn
    const second = candidates[this.random.int(candidates.length)]!
    return this.load(second) < this.load(first) ? second : first
  }

  private load(endpoint: ProxyEndpoint): number {
    return this.active.get(addressOf(endpoint)) ?? 0
  }
}
