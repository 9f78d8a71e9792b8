import { type PodEndpoint, PodNetwork } from '../network/pod-network.ts'
import type { Clock } from '../world/clock.ts'
import type { Us } from '../world/time.ts'
import type { InferenceObserver, InferenceServer } from './program.ts'

/**
 * One node's place on the pod network. While it is dark nobody reaches its pods and no answer under way arrives: those of a
 * partition come when it heals, those of a node that lost power never do, and their clients wait until they give up.
 */
export class NodeNetwork extends PodNetwork {
  private readonly clock: Clock
  private readonly outer: PodNetwork
  private readonly own = new Map<string, PodEndpoint>()
  private readonly gates = new WeakMap<InferenceServer, InferenceServer>()
  private dark = false
  private darkSince: Us = 0
  /** Answers to requests of an earlier boot are lost. */
  private boot = 0
  private backlog: (() => void)[] = []

  constructor({ clock, outer }: { clock: Clock; outer: PodNetwork }) {
    super()
    this.clock = clock
    this.outer = outer
  }

  override register(podIP: string, endpoint: PodEndpoint): void {
    const gated = this.gated(endpoint)
    this.own.set(podIP, gated)
    if (!this.dark) this.outer.register(podIP, gated)
  }

  override unregister(podIP: string): void {
    this.own.delete(podIP)
    if (!this.dark) this.outer.unregister(podIP)
  }

  override connect(podIP: string, port: number): ReturnType<PodNetwork['connect']> {
    return this.outer.connect(podIP, port)
  }

  /** Nothing comes in or goes out any more. */
  darken(): void {
    if (this.dark) return
    this.dark = true
    this.darkSince = this.clock.now
    for (const ip of this.own.keys()) this.outer.unregister(ip)
  }

  /** As before; what was on its way arrives now. */
  lighten(): void {
    if (!this.dark) return
    this.dark = false
    for (const [ip, endpoint] of this.own) this.outer.register(ip, endpoint)
    for (const arrive of this.backlog.splice(0)) arrive()
  }

  /** Power is lost: nothing of what is under way will ever be answered. */
  lose(): void {
    this.boot++
    this.backlog = []
  }

  private gated(endpoint: PodEndpoint): PodEndpoint {
    const gate = (server: InferenceServer) => this.gateOf(server)
    const made = Object.create(endpoint) as PodEndpoint
    Object.defineProperty(made, 'inference', {
      get: () => endpoint.inference && gate(endpoint.inference),
    })
    return made
  }

  private gateOf(server: InferenceServer): InferenceServer {
    const known = this.gates.get(server)
    if (known) return known
    const made: InferenceServer = {
      submit: (port, request, observer) => server.submit(port, request, this.gatedObserver(observer)),
    }
    this.gates.set(server, made)
    return made
  }

  private gatedObserver(observer: InferenceObserver): InferenceObserver {
    const { boot } = this
    const deliver = (at: Us, tell: (at: Us) => void) => {
      if (boot !== this.boot) return
      if (this.dark) this.backlog.push(() => tell(this.clock.now))
      else tell(at)
    }
    return {
      headers: (at, lastSentAt) => {
        let lastSeen = at
        const seen = () => {
          // a node that lost power sends no more, and one in the dark has sent until then
          if (boot === this.boot)
            lastSeen = Math.max(lastSeen, this.dark ? Math.min(lastSentAt(), this.darkSince) : lastSentAt())
          return lastSeen
        }
        deliver(at, (t) => observer.headers?.(t, seen))
      },
      firstToken: (at) => deliver(at, (t) => observer.firstToken(t)),
      finished: (result) => deliver(result.at, (at) => observer.finished({ ...result, at })),
      failed: (failure) => deliver(failure.at, (at) => observer.failed({ ...failure, at })),
    }
  }
}
