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
    const gated = new Gated(endpoint, this)
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

  /** The server, behind this node's link. */
  gateOf(server: InferenceServer): InferenceServer {
    const known = this.gates.get(server)
    if (known) return known
    const made: InferenceServer = {
      submit: (port, request, observer) => server.submit(port, request, this.gatedObserver(observer)),
    }
    this.gates.set(server, made)
    return made
  }

  private gatedObserver(observer: InferenceObserver): InferenceObserver {
    return new GatedObserver(observer, this, this.boot)
  }

  /** Whether an answer of this boot can arrive at once; in the dark it comes when that ends, of an earlier boot never. */
  lets(boot: number, arrive: () => void): boolean {
    if (boot !== this.boot) return false
    if (this.dark) this.backlog.push(arrive)
    return !this.dark
  }

  /** When an answer of this boot last got through, if its last byte went out at `lastSentAt`; undefined: its node has lost power. */
  lastSeen(boot: number, lastSentAt: () => Us): Us | undefined {
    if (boot !== this.boot) return undefined
    // one in the dark has sent until then
    return this.dark ? Math.min(lastSentAt(), this.darkSince) : lastSentAt()
  }

  get now(): Us {
    return this.clock.now
  }
}

/** What a client hears of an answer that comes from a node. */
class GatedObserver implements InferenceObserver {
  readonly headers: InferenceObserver['headers']
  private readonly observer: InferenceObserver
  private readonly network: NodeNetwork
  private readonly boot: number

  constructor(observer: InferenceObserver, network: NodeNetwork, boot: number) {
    this.observer = observer
    this.network = network
    this.boot = boot
    this.headers = observer.headers && ((at, lastSentAt) => this.headersAt(at, lastSentAt))
  }

  firstToken(at: Us): void {
    const { network, observer } = this
    if (network.lets(this.boot, () => observer.firstToken(network.now))) observer.firstToken(at)
  }

  finished(result: Parameters<InferenceObserver['finished']>[0]): void {
    const { network, observer } = this
    if (network.lets(this.boot, () => observer.finished({ ...result, at: network.now }))) observer.finished(result)
  }

  failed(failure: Parameters<InferenceObserver['failed']>[0]): void {
    const { network, observer } = this
    if (network.lets(this.boot, () => observer.failed({ ...failure, at: network.now }))) observer.failed(failure)
  }

  private headersAt(at: Us, lastSentAt: () => Us): void {
    const { network, observer, boot } = this
    let lastSeen = at
    const seen = () => {
      lastSeen = Math.max(lastSeen, network.lastSeen(boot, lastSentAt) ?? lastSeen)
      return lastSeen
    }
    if (network.lets(boot, () => observer.headers?.(network.now, seen))) observer.headers?.(at, seen)
  }
}

/** A pod of the node, whose inference server is reached by way of the node's link. */
class Gated implements PodEndpoint {
  private readonly endpoint: PodEndpoint
  private readonly network: NodeNetwork

  constructor(endpoint: PodEndpoint, network: NodeNetwork) {
    this.endpoint = endpoint
    this.network = network
  }

  get podKey(): string {
    return this.endpoint.podKey
  }

  get nodeName(): string {
    return this.endpoint.nodeName ?? ''
  }

  get get(): PodEndpoint['get'] {
    return this.endpoint.get?.bind(this.endpoint)
  }

  get exposition(): PodEndpoint['exposition'] {
    return this.endpoint.exposition?.bind(this.endpoint)
  }

  get inference(): InferenceServer | undefined {
    const { inference } = this.endpoint
    return inference && this.network.gateOf(inference)
  }

  accepts(port: number): boolean {
    return this.endpoint.accepts(port)
  }
}
