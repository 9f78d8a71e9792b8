import type * as o from '../../kube/objects.ts'
import type { Us } from '../../world/time.ts'
import { ZoneTainter } from './tainter.ts'

export type ZoneState = 'Initial' | 'Normal' | 'FullDisruption' | 'PartialDisruption'

export interface EvictionRates {
  /** Nodes tainted a second in a zone that is healthy: `--node-eviction-rate`. */
  readonly evictionQps: number
  /** In a large zone that is partly disrupted: `--secondary-node-eviction-rate`. */
  readonly secondaryEvictionQps: number
  /** Zones up to this size stop evicting while partly disrupted: `--large-cluster-size-threshold`. */
  readonly largeClusterThreshold: number
  /** The share of nodes not ready that makes a zone partly disrupted: `--unhealthy-zone-threshold`. */
  readonly unhealthyZoneThreshold: number
}

/** The defaults of kube-controller-manager 1.36. */
export const defaultEvictionRates: EvictionRates = {
  evictionQps: 0.1,
  secondaryEvictionQps: 0.01,
  largeClusterThreshold: 50,
  unhealthyZoneThreshold: 0.55,
}

const BETA = 'failure-domain.beta.kubernetes.io'

/** Region and zone of a node; '' for none. Follows k8s.io/component-helpers/node/topology/helpers.go GetZoneKey. */
export function zoneKeyOf({ metadata: { labels = {} } }: o.Node): string {
  const zone = labels[`${BETA}/zone`] ?? labels['topology.kubernetes.io/zone'] ?? ''
  const region = labels[`${BETA}/region`] ?? labels['topology.kubernetes.io/region'] ?? ''
  return zone === '' && region === '' ? '' : `${region}:\0:${zone}`
}

const EXCLUDED = 'node.kubernetes.io/exclude-disruption'

/** What a change of zone states asks of the controller. */
export type Disruption = 'none' | 'entered' | 'left'

/**
 * The zones of the cluster: how many of their nodes are ready, and how fast nodes may be tainted there.
 * Follows handleDisruption and ComputeZoneState of pkg/controller/nodelifecycle/node_lifecycle_controller.go.
 */
export class Zones {
  readonly states = new Map<string, ZoneState>()
  readonly tainters = new Map<string, ZoneTainter>()
  private readonly rates: EvictionRates
  private readonly nodes = new Map<string, { zone: string; ready: boolean }>()
  private changed = false

  constructor(rates: EvictionRates) {
    this.rates = rates
  }

  /** A node of the zone was seen. */
  know(node: o.Node): void {
    const zone = zoneKeyOf(node)
    if (this.states.has(zone)) return
    this.states.set(zone, 'Initial')
    this.tainters.set(zone, new ZoneTainter(this.rates.evictionQps))
  }

  tainterOf(node: o.Node): ZoneTainter {
    const zone = zoneKeyOf(node)
    let tainter = this.tainters.get(zone)
    if (!tainter) {
      tainter = new ZoneTainter(this.rates.evictionQps)
      this.tainters.set(zone, tainter)
    }
    return tainter
  }

  /** The outcome of looking at one node. */
  count(node: o.Node, ready: boolean): void {
    const { name, labels } = node.metadata
    const zone = zoneKeyOf(node)
    const known = this.nodes.get(name)
    if (labels && EXCLUDED in labels) this.forget(name)
    else if (known?.zone !== zone || known.ready !== ready) {
      this.nodes.set(name, { zone, ready })
      this.changed = true
    }
  }

  forget(name: string): void {
    if (this.nodes.delete(name)) this.changed = true
  }

  /** Works out new states, once after each pass; sets the rates. The caller does what the answer asks for. */
  update(now: Us): Disruption {
    if (!this.changed) return 'none'
    this.changed = false
    const counts = this.counts()
    const fresh = new Map<string, ZoneState>()
    for (const [zone, count] of counts) {
      fresh.set(zone, stateOf(count, this.rates.unhealthyZoneThreshold))
      if (!this.states.has(zone)) this.states.set(zone, 'Initial')
    }
    for (const zone of [...this.states.keys()]) if (!counts.has(zone)) this.states.delete(zone)
    const allFull = [...fresh.values()].every((state) => state === 'FullDisruption')
    const wereFull = [...this.states.values()].every((state) => state === 'FullDisruption')
    if (allFull && wereFull) return 'none'
    if (allFull) {
      for (const zone of this.states.keys()) {
        this.tainters.get(zone)?.setRate(0, now)
        this.states.set(zone, 'FullDisruption')
      }
      return 'entered'
    }
    for (const [zone, was] of this.states) {
      const state = fresh.get(zone)!
      if (was === state && !wereFull) continue
      const { ready, unready } = counts.get(zone)!
      this.tainters.get(zone)?.setRate(this.rateFor(state, ready + unready), now)
      this.states.set(zone, state)
    }
    return wereFull ? 'left' : 'none'
  }

  private counts(): Map<string, { ready: number; unready: number }> {
    const counts = new Map<string, { ready: number; unready: number }>()
    for (const { zone, ready } of this.nodes.values()) {
      const count = counts.get(zone) ?? { ready: 0, unready: 0 }
      if (ready) count.ready++
      else count.unready++
      counts.set(zone, count)
    }
    return counts
  }

  private rateFor(state: ZoneState, size: number): number {
    const { evictionQps, secondaryEvictionQps, largeClusterThreshold } = this.rates
    if (state !== 'PartialDisruption') return evictionQps
    return size > largeClusterThreshold ? secondaryEvictionQps : 0
  }
}

function stateOf({ ready, unready }: { ready: number; unready: number }, threshold: number): ZoneState {
  if (ready === 0 && unready > 0) return 'FullDisruption'
  return unready > 2 && unready / (unready + ready) >= threshold ? 'PartialDisruption' : 'Normal'
}
