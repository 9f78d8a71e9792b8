import { EndpointSlice, Service } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { type ProxyEndpoint, portEndpoints } from '../service-rules.ts'
import type { Behaviour } from './behaviour.ts'
import type { ServiceTarget } from './rule.ts'

/** What a data plane may send to. `healthy` are those that are ready and do not end; `all` those the API names. */
export interface Upstreams {
  readonly healthy: readonly ProxyEndpoint[]
  readonly all: readonly ProxyEndpoint[]
}

const NONE: Upstreams = { healthy: [], all: [] }

/**
 * The endpoints of Services as a gateway's data plane knows them: what the control plane's cache saw, some time later. What has
 * changed meanwhile is not seen; established connections stay.
 */
export class EndpointView {
  private readonly world: World
  private readonly kube: Kube
  private readonly sync: Behaviour['sync']
  private readonly phaseUs: Us
  private readonly known = new Map<string, Upstreams>()
  private dirty = new Set<string>()
  private scheduled = false
  private lastAt: Us = Number.NEGATIVE_INFINITY

  constructor(world: World, kube: Kube, sync: Behaviour['sync']) {
    this.world = world
    this.kube = kube
    this.sync = sync
    this.phaseUs = sync.pollUs > 0 ? world.random(`${kube.process}/poll`).int(sync.pollUs) : 0
    const slice = ({ metadata }: { metadata: { namespace?: string; labels?: Record<string, string> } }) => {
      const name = metadata.labels?.['kubernetes.io/service-name']
      if (name) this.mark(`${metadata.namespace}/${name}`)
    }
    const service = ({ metadata }: { metadata: { namespace?: string; name: string } }) =>
      this.mark(`${metadata.namespace}/${metadata.name}`)
    kube.watch(EndpointSlice, { added: slice, updated: (_, after) => slice(after), deleted: slice })
    kube.watch(Service, { added: service, updated: (_, after) => service(after), deleted: service })
    // it has been running for long
    this.dirty.clear()
  }

  of({ key, port }: ServiceTarget): Upstreams {
    const id = `${key}:${port}`
    let known = this.known.get(id)
    if (!known) {
      known = this.read(key, port)
      this.known.set(id, known)
    }
    return known
  }

  private mark(key: string): void {
    this.dirty.add(key)
    if (this.scheduled) return
    this.scheduled = true
    const { debounceUs, minIntervalUs, pollUs } = this.sync
    const { now } = this.world.clock
    const written = Math.max(now + debounceUs, this.lastAt + minIntervalUs)
    const seen = pollUs > 0 ? Math.ceil((written - this.phaseUs) / pollUs) * pollUs + this.phaseUs : written
    this.world.clock.at(written, () => {
      this.scheduled = false
      this.lastAt = written
      const changed = this.dirty
      this.dirty = new Set()
      const fresh = this.readAll(changed)
      this.world.clock.at(seen, () => {
        for (const [id, upstreams] of fresh) this.known.set(id, upstreams)
      })
    })
  }

  private readAll(keys: ReadonlySet<string>): [string, Upstreams][] {
    return [...this.known.keys()].flatMap((id): [string, Upstreams][] => {
      const at = id.lastIndexOf(':')
      const key = id.slice(0, at)
      return keys.has(key) ? [[id, this.read(key, Number(id.slice(at + 1)))]] : []
    })
  }

  private read(key: string, port: number): Upstreams {
    const all = portEndpoints(this.kube, key, port)
    if (all.length === 0) return NONE
    return { all, healthy: all.filter(({ ready, terminating }) => ready && !terminating) }
  }
}

/** What a TCP stack waits before it says that nobody answers for an address on its link: three ARP requests, a second apart. */
export const NO_ROUTE_AFTER: Us = seconds(3)
