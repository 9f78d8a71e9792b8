import type { InferenceObserver, InferenceRequest } from '../nodes/program.ts'
import type { Route } from '../tiers/tier.ts'
import { seconds, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { KubeProxy } from './kube-proxy.ts'
import type { PodNetwork } from './pod-network.ts'
import type { ProxyEndpoint } from './service-rules.ts'

interface RouteOptions {
  readonly world: World
  readonly proxy: KubeProxy
  readonly network: PodNetwork
  /** `namespace/name`. */
  readonly service: string
  readonly port: number
  readonly from?: 'cluster' | 'outside'
  /** Of one client host: ClientIP affinity goes by it. */
  readonly clientIP?: string
}

type Observer = Parameters<Route['send']>[1]

/** When an unanswered SYN is sent again, since the first: Linux's tcp_syn_retries of 6, which gives up after 127 s. */
const SYN_RETRIES: readonly Us[] = [1, 3, 7, 15, 31, 63].map(seconds)
const SYN_TIMEOUT: Us = seconds(127)

/** From a packet to an address nobody has until the node says so: three unanswered ARP requests a second apart. */
const NO_ROUTE_AFTER: Us = seconds(3)

/**
 * How one client reaches a Service through the kube-proxy of the node it enters by. Each request is a connection of its own;
 * the network adds no delay. A connection to a pod whose process has closed its port is refused at once; one to an address
 * whose pod is gone fails with EHOSTUNREACH after 3 s; one the rules drop is tried again as Linux does, for 127 s.
 */
export function createRoute(options: RouteOptions): Route {
  return {
    send(request, observer) {
      const attempt = new Attempt(options, request, observer)
      attempt.connect(0)
      return () => attempt.hangUp()
    },
  }
}

/** One request on its way. Passes on at most one end, and nothing after it. */
class Attempt implements InferenceObserver {
  readonly headers: InferenceObserver['headers']
  private readonly options: RouteOptions
  private readonly request: InferenceRequest
  private readonly observer: Observer
  private readonly startedAt: Us
  private over = false
  private giveUp: (() => void) | undefined

  constructor(options: RouteOptions, request: InferenceRequest, observer: Observer) {
    this.options = options
    this.request = request
    this.observer = observer
    this.startedAt = options.world.clock.now
    this.headers =
      observer.headers &&
      ((at, lastSentAt) => {
        if (!this.over) observer.headers?.(at, lastSentAt)
      })
  }

  firstToken(at: Us): void {
    if (!this.over) this.observer.firstToken(at)
  }

  finished(result: Parameters<InferenceObserver['finished']>[0]): void {
    if (this.over) return
    this.over = true
    this.observer.finished(result)
  }

  failed(failure: Parameters<InferenceObserver['failed']>[0]): void {
    if (this.over) return
    this.over = true
    this.observer.failed(failure)
  }

  /** Sends a SYN: the first, or the `retry`th again, which meets the rules as they are then. */
  connect(retry: number): void {
    const { proxy, service, port, from = 'cluster', clientIP = 'client' } = this.options
    const verdict = proxy.connect({ service, port, clientIP, from })
    if (verdict === 'reject') this.fail('connect: connection refused', 'no-endpoints')
    else if (verdict === 'drop' || verdict === 'none') this.retryLater(retry)
    else this.reach(verdict.to)
  }

  hangUp(): void {
    this.over = true
    this.giveUp?.()
  }

  private reach({ ip, port }: ProxyEndpoint): void {
    const { network } = this.options
    const connection = network.connect(ip, port)
    if (connection.kind === 'unreachable') {
      this.later(NO_ROUTE_AFTER, () => this.fail('connect: no route to host'))
      return
    }
    const { podKey, inference } = connection.endpoint
    this.observer.routed?.(podKey)
    if (connection.kind === 'refused') this.fail('connect: connection refused')
    else if (inference) this.giveUp = inference.submit(port, this.request, this)
    else this.failed({ at: this.now, kind: 'http', status: 404, message: '404 page not found' })
  }

  private retryLater(retry: number): void {
    const at = SYN_RETRIES[retry]
    if (at !== undefined) this.later(this.startedAt + at - this.now, () => this.connect(retry + 1))
    else this.later(this.startedAt + SYN_TIMEOUT - this.now, () => this.fail('connect: connection timed out'))
  }

  private later(delay: Us, act: () => void): void {
    const timer = this.options.world.clock.after(delay, () => {
      if (!this.over) act()
    })
    this.giveUp = () => timer.cancel()
  }

  private fail(message: string, kind: 'refused' | 'no-endpoints' = 'refused'): void {
    this.failed({ at: this.now, kind, message })
  }

  private get now(): Us {
    return this.options.world.clock.now
  }
}
