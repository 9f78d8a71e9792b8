import type { InferenceRequest } from '../../nodes/program.ts'
import type { Route } from '../../tiers/tier.ts'
import type { RandomStream } from '../../world/random.ts'
import type { World } from '../../world/world.ts'
import type { PodNetwork } from '../pod-network.ts'
import { Balancer } from './balancer.ts'
import type { Behaviour } from './behaviour.ts'
import type { EndpointView } from './endpoint-view.ts'
import { Exchange } from './exchange.ts'
import type { HttpRequest } from './http-request.ts'
import type { Balancing, MatchRule, ProxyRule, ServiceTarget } from './rule.ts'

export type ClientObserver = Parameters<Route['send']>[1]

export interface DataPlaneOptions {
  readonly world: World
  readonly network: PodNetwork
  readonly behaviour: Behaviour
  readonly endpoints: EndpointView
  /** The rules as they are now. */
  readonly match: MatchRule
  /** `gateway/prod/eg`: whom streams and notes are named after. */
  readonly name: string
  /** Whether policies let its connections to a pod's port through; left out: all. What they stop is dropped without a word. */
  readonly admits?: (podKey: string, port: number) => boolean
}

/**
 * A gateway's proxy. It ends clients' connections and opens its own to pods, past kube-proxy. It stands for all replicas of the proxy, is never
 * short of anything and adds no delay.
 */
export class DataPlane {
  readonly options: DataPlaneOptions
  readonly random: RandomStream
  private readonly balancers = new Map<string, Balancer>()
  private readonly noted = new Set<string>()

  constructor(options: DataPlaneOptions) {
    this.options = options
    this.random = options.world.random(`${options.name}/proxy`)
  }

  /** Sends a request now. Returns how the client hangs up. */
  send(head: HttpRequest, request: InferenceRequest, observer: ClientObserver): () => void {
    const rule = this.options.match(head)
    const exchange = new Exchange(this, { head, request, observer, rule })
    exchange.start()
    if (rule) this.mirror(rule, request)
    return () => exchange.hangUp()
  }

  balancerOf({ key, port }: ServiceTarget, balancing: Balancing): Balancer {
    const id = `${key}:${port}`
    let balancer = this.balancers.get(id)
    if (!balancer) {
      balancer = new Balancer(this.random, balancing)
      this.balancers.set(id, balancer)
    }
    return balancer
  }

  /** Writes once into the journal why requests are ended here. */
  note(text: string): void {
    if (this.noted.has(text)) return
    this.noted.add(text)
    this.options.world.journal.append({ type: 'note', by: this.options.name, about: 'requests', text })
  }

  /** Copies whose answers nobody waits for. */
  private mirror({ mirrors, balancing }: ProxyRule, request: InferenceRequest): void {
    const { endpoints, network } = this.options
    for (const { service, share } of mirrors) {
      if (share < 1 && this.random.next() >= share) continue
      const endpoint = this.balancerOf(service, balancing).pick(endpoints.of(service), new Set())
      const connection = endpoint && network.connect(endpoint.ip, endpoint.port)
      if (connection?.kind === 'open')
        connection.endpoint.inference?.submit(endpoint!.port, { ...request, id: `${request.id}-mirror` }, SILENT)
    }
  }
}

const SILENT: ClientObserver = { firstToken() {}, finished() {}, failed() {} }
