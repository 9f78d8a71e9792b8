import type { Container, Pod } from '../kube/objects.ts'
import { parseQuantity, wholeValueOf } from '../kube/quantity.ts'

/** Resource name → ids a plugin advertises, in its order of preference. */
interface Plugin {
  readonly ids: readonly string[]
  readonly unhealthy: Set<string>
}

/**
 * Gives the devices of device plugins to containers, one by one. Devices stay with a pod until it is released.
 * Follows pkg/kubelet/cm/devicemanager/manager.go. Where upstream takes any free devices, this takes them in the plugin's order.
 */
export class DeviceManager {
  private readonly plugins = new Map<string, Plugin>()
  /** Pod uid → container → resource → ids. */
  private readonly allocated = new Map<string, Map<string, Map<string, readonly string[]>>>()
  private readonly changed: () => void

  /** `changed` is called when what the node has to offer changes. */
  constructor(changed: () => void) {
    this.changed = changed
  }

  /** A plugin's first list of devices. */
  register(resource: string, ids: readonly string[]): void {
    this.plugins.set(resource, { ids, unhealthy: new Set() })
    this.changed()
  }

  /** The checkpoint on disk knows the resource, its plugin has not come back yet: nothing is healthy until it registers. */
  expect(resource: string): void {
    this.plugins.set(resource, { ids: [], unhealthy: new Set() })
  }

  has(resource: string): boolean {
    return this.plugins.has(resource)
  }

  /** A plugin's word on one device. Running containers keep a device that fails. Throws a RangeError for an unknown one. */
  setHealth(id: string, healthy: boolean): void {
    const plugin = [...this.plugins.values()].find((p) => p.ids.includes(id))
    if (!plugin) throw new RangeError(`no device ${id} on this node`)
    if (healthy === !plugin.unhealthy.has(id)) return
    if (healthy) plugin.unhealthy.delete(id)
    else plugin.unhealthy.add(id)
    this.changed()
  }

  /** For the node's status: all devices, and the healthy ones. */
  counts(): { capacity: Record<string, string>; allocatable: Record<string, string> } {
    const capacity: Record<string, string> = {}
    const allocatable: Record<string, string> = {}
    for (const [resource, { ids, unhealthy }] of this.plugins) {
      capacity[resource] = String(ids.length)
      allocatable[resource] = String(ids.length - unhealthy.size)
    }
    return { capacity, allocatable }
  }

  ids(resource: string): readonly string[] {
    return this.plugins.get(resource)?.ids ?? []
  }

  /** Whether a plugin advertises the device now. */
  knows(id: string): boolean {
    return [...this.plugins.values()].some(({ ids }) => ids.includes(id))
  }

  /** The devices of a container, in order. */
  of(podUid: string, container: string): readonly string[] {
    return [...(this.allocated.get(podUid)?.get(container)?.values() ?? [])].flat()
  }

  /** The pod and container that have a device. */
  holderOf(id: string): { podUid: string; container: string } | undefined {
    for (const [podUid, containers] of this.allocated)
      for (const [container, resources] of containers)
        for (const ids of resources.values()) if (ids.includes(id)) return { podUid, container }
    return undefined
  }

  /** Gives every container of the pod its devices. Why not, when it cannot: then the pod gets none. */
  allocate(pod: Pod): string | undefined {
    const { uid } = pod.metadata
    // what an init container had is used again by those after it; a sidecar keeps its own
    const reusable = new Map<string, string[]>()
    const init = pod.spec.initContainers ?? []
    for (const container of [...init, ...pod.spec.containers]) {
      const why = this.allocateFor(uid, container, reusable)
      if (why) {
        this.release(uid)
        return why
      }
      const mine = this.allocated.get(uid)?.get(container.name)
      const passesOn = init.includes(container) && container.restartPolicy !== 'Always'
      for (const [resource, ids] of mine ?? []) {
        const others = (reusable.get(resource) ?? []).filter((id) => !ids.includes(id))
        reusable.set(resource, passesOn ? [...ids, ...others] : others)
      }
    }
    return undefined
  }

  release(podUid: string): void {
    this.allocated.delete(podUid)
  }

  private allocateFor(uid: string, container: Container, reusable: ReadonlyMap<string, string[]>): string | undefined {
    for (const [resource, amount] of Object.entries(container.resources?.limits ?? {})) {
      const plugin = this.plugins.get(resource)
      if (!plugin) continue
      const needed = wholeValueOf(parseQuantity(amount))
      if (needed === 0) continue
      const healthy = plugin.ids.filter((id) => !plugin.unhealthy.has(id))
      if (healthy.length === 0) return `no healthy devices present; cannot allocate unhealthy devices ${resource}`
      const used = this.inUse(resource)
      const again = (reusable.get(resource) ?? []).slice(0, needed)
      const free = healthy.filter((id) => !used.has(id))
      const rest = needed - again.length
      if (free.length < rest)
        return `requested number of devices unavailable for ${resource}. Requested: ${rest}, Available: ${free.length}`
      this.put(uid, container.name, resource, [...again, ...free.slice(0, rest)])
    }
    return undefined
  }

  private inUse(resource: string): ReadonlySet<string> {
    const used = new Set<string>()
    for (const containers of this.allocated.values())
      for (const resources of containers.values()) for (const id of resources.get(resource) ?? []) used.add(id)
    return used
  }

  private put(uid: string, container: string, resource: string, ids: readonly string[]): void {
    const containers = this.allocated.get(uid) ?? new Map<string, Map<string, readonly string[]>>()
    this.allocated.set(uid, containers)
    const resources = containers.get(container) ?? new Map<string, readonly string[]>()
    containers.set(container, resources)
    resources.set(resource, ids)
  }
}
