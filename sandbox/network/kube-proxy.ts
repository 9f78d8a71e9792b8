import { EndpointSlice, keyOf, Service } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { RandomStream } from '../world/random.ts'
import { ms, seconds, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { BoundedFrequencyRunner } from './bounded-frequency-runner.ts'
import { type PortRules, type ProxyEndpoint, rulesOf } from './service-rules.ts'

interface KubeProxyOptions {
  readonly world: World
  /** A Kube of its own process: `kube-proxy/<node>`. */
  readonly kube: Kube
  readonly nodeName: string
  /** `iptables.minSyncPeriod` (nftables has the same default): 1 s (pkg/proxy/apis/config/v1alpha1/defaults.go). */
  readonly minSyncPeriod?: Us
  /** How long writing the rules takes, drawn anew each time; the old ones hold until then. No time where it is left out. */
  readonly writeTime?: { readonly min: Us; readonly max: Us }
}

/**
 * Of a cluster of a few Services: one `iptables-restore` and the calls around it. Assumed; kubernetes/kubernetes#34006 shows 62 ms
 * with 15 endpoints, on older machines.
 */
export const assumedWriteTime = { min: ms(20), max: ms(60) } as const

/** A new connection to a Service, as it leaves the entry node. */
export interface Connect {
  /** `namespace/name`. */
  readonly service: string
  readonly port: number
  readonly clientIP: string
  /** Whether the client uses the cluster IP or comes from outside the cluster. */
  readonly from: 'cluster' | 'outside'
}

/** What the rules make of it. `none`: no rule knows the address, and nothing answers there. */
export type Verdict = { readonly to: ProxyEndpoint } | 'reject' | 'drop' | 'none'

/**
 * One node's kube-proxy in iptables mode: what it has seen of Services and EndpointSlices takes effect when it next writes its
 * rules, at once when idle and otherwise a second after the last time. Established connections stay where they are.
 * Follows pkg/proxy/iptables/proxier.go.
 */
export class KubeProxy {
  private readonly kube: Kube
  private readonly world: World
  private readonly nodeName: string
  private readonly random: RandomStream
  private readonly runner: BoundedFrequencyRunner
  private readonly writeTime: KubeProxyOptions['writeTime']
  private readonly writes: RandomStream
  private readonly dirty = new Set<string>()
  private readonly rules = new Map<string, Map<number, PortRules>>()
  /** The endpoint of each client that has affinity, and when it last connected: iptables' `recent` lists. */
  private readonly affinity = new Map<string, { to: string; at: Us }>()

  constructor({ world, kube, nodeName, minSyncPeriod = seconds(1), writeTime }: KubeProxyOptions) {
    this.world = world
    this.kube = kube
    this.nodeName = nodeName
    this.random = world.random(`${kube.process}/endpoints`)
    this.writes = world.random(`${kube.process}/writes`)
    this.writeTime = writeTime
    this.runner = new BoundedFrequencyRunner({ minInterval: minSyncPeriod, fn: () => this.sync() })
    const mark = (key: string) => {
      this.dirty.add(key)
      this.runner.run()
    }
    const markSlice = ({ metadata }: { metadata: { namespace?: string; labels?: Record<string, string> } }) => {
      const name = metadata.labels?.['kubernetes.io/service-name']
      if (name) mark(`${metadata.namespace}/${name}`)
    }
    kube.watch(Service, {
      added: (service) => mark(keyOf(service)),
      updated: (_, service) => mark(keyOf(service)),
      deleted: (service) => mark(keyOf(service)),
    })
    kube.watch(EndpointSlice, { added: markSlice, updated: (_, slice) => markSlice(slice), deleted: markSlice })
    world.spawn(kube.process, this.runner.loop())
  }

  /** Decides a new connection by the rules as they are now. */
  connect({ service, port, clientIP, from }: Connect): Verdict {
    const rules = this.rules.get(service)?.get(port)
    if (!rules) return 'none'
    const destination = from === 'cluster' ? rules.internal : rules.external
    if (destination === 'reject' || destination === 'drop') return destination
    if (rules.affinitySeconds === 0) return { to: this.draw(destination) }
    const client = `${service}:${port}/${clientIP}`
    const { now } = this.world.clock
    const known = this.affinity.get(client)
    const kept =
      known && now - known.at < seconds(rules.affinitySeconds)
        ? destination.find((endpoint) => addressOf(endpoint) === known.to)
        : undefined
    const to = kept ?? this.draw(destination)
    this.affinity.set(client, { to: addressOf(to), at: now })
    return { to }
  }

  /** Every endpoint is as likely: the `statistic` rules of iptables in random mode. */
  private draw(endpoints: readonly ProxyEndpoint[]): ProxyEndpoint {
    return endpoints[endpoints.length === 1 ? 0 : this.random.int(endpoints.length)]!
  }

  private sync(): void {
    const changes = Array.from(this.dirty, (key) => [key, rulesOf(this.kube, key, this.nodeName)] as const)
    this.dirty.clear()
    if (!this.writeTime) {
      this.write(changes)
      return
    }
    const { min, max } = this.writeTime
    this.world.clock.after(Math.round(this.writes.between(min, max)), () => this.write(changes))
  }

  private write(changes: readonly (readonly [service: string, rules: Map<number, PortRules> | undefined])[]): void {
    for (const [key, rules] of changes) {
      if (rules) this.rules.set(key, rules)
      else this.rules.delete(key)
    }
  }
}

const addressOf = ({ ip, port }: ProxyEndpoint): string => `${ip}:${port}`
