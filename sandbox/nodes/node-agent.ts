import { DeviceManager } from '../gpus/device-manager.ts'
import { GPU } from '../gpus/gpu-plugin.ts'
import { equal } from '../journal/merge-patch.ts'
import { isApiError } from '../kube/errors.ts'
import { Lease, Node as NodeKind } from '../kube/kinds.ts'
import type { Draft, Lease as LeaseObject, Node } from '../kube/objects.ts'
import type { PodNetwork } from '../network/pod-network.ts'
import type { Actor, Task } from '../world/actor.ts'
import type { Timer } from '../world/clock.ts'
import { seconds, toMicroTime, type Us } from '../world/time.ts'
import { Kubelet } from './kubelet.ts'
import { renewLease } from './lease-renewal.ts'
import type { NodeOptions } from './node.ts'
import { kubeletConditions, nodeObject, nodeResources, READY, type Readiness, saysOtherwise } from './node-object.ts'
import { Uplink } from './node-uplink.ts'
import { NodeVolumes } from './node-volumes.ts'
import type { PodView } from './pod-runtime.ts'
import { assumedTimings, LEASE_DURATION_SECONDS, NODE_STATUS_PERIOD, nextTick } from './timings.ts'

export interface AgentOptions extends NodeOptions {
  /** The node's own place on the pod network. */
  readonly network: PodNetwork
  /** How often the machine was booted before. */
  readonly boot: number
  /** What is on its disk from before, by pod uid. */
  readonly left: ReadonlyMap<string, PodView>
  readonly cachedImages: readonly string[]
  /** Ids of the GPUs, in order. */
  readonly gpus: readonly string[]
  /** Until the device plugin registers; 0: it has already. */
  readonly pluginDelay: Us
  /** When the kubelet's ten-second ticker fires, modulo the period. */
  readonly statusPhase: Us
  deviceLost(id: string): boolean
}

/**
 * The kubelet of one boot and what goes with it: registration, lease, node status, devices. Node status goes out when it changed,
 * or when somebody else changed what the kubelet says: a renewed lease is heartbeat enough.
 * Follows pkg/kubelet/kubelet_node_status.go.
 */
export class NodeAgent {
  readonly uplink: Uplink
  readonly devices: DeviceManager
  readonly kubelet: Kubelet
  private readonly volumes: NodeVolumes
  private readonly options: AgentOptions
  private readonly actors: Actor[] = []
  private readonly timers: Timer[] = []
  private readiness: Readiness = READY
  private registered = false
  private stopped = false
  private statusTimer: Timer | undefined
  private unwatch: (() => void) | undefined
  /** What the machine has, devices aside. */
  private readonly own: ReturnType<typeof nodeResources>

  constructor(options: AgentOptions) {
    const { world, node, gpus, pluginDelay, boot } = options
    this.options = options
    this.own = nodeResources(node)
    this.uplink = new Uplink(options.kube)
    this.devices = new DeviceManager(() => this.statusChanged())
    this.volumes = new NodeVolumes({
      node: () => this.uplink.get(NodeKind, node.name),
      changed: () => this.statusChanged(),
    })
    if (gpus.length > 0) this.registerDevices(pluginDelay)
    this.kubelet = new Kubelet({
      ...options,
      ...(options.mountsClaims ? { attached: this.volumes } : {}),
      kube: this.uplink,
      nodeName: node.name,
      nodeIP: node.ip,
      podCIDR: node.podCIDR,
      devices: this.devices,
      timings: options.timings ?? assumedTimings,
      serializeImagePulls: options.serializeImagePulls ?? true,
      keepsLogs: options.kubeletApi !== undefined,
      initialNode: this.draft() as Node,
      startedAt: boot > 0 ? world.clock.now : (options.startedAt ?? -seconds(3600)),
      imagesChanged: () => this.statusChanged(),
    })
  }

  start(): void {
    this.run('register', this.register())
  }

  /** Everything ends at once. Returns what is left on disk. */
  stop(): Map<string, PodView> {
    this.stopped = true
    this.options.leases?.stop(this.options.node.name)
    this.unwatch?.()
    this.statusTimer?.cancel()
    for (const timer of this.timers) timer.cancel()
    for (const actor of this.actors) actor.stop()
    return this.kubelet.powerOff()
  }

  cut(): void {
    this.uplink.cut()
    this.options.leases?.stop(this.options.node.name)
  }

  heal(): void {
    this.uplink.restore()
    if (this.registered) this.options.leases?.resume(this.options.node.name)
  }

  /** The kubelet is going down and says so at once. Follows pkg/kubelet/nodeshutdown: it asks for a node status. */
  sayShuttingDown(): void {
    this.readiness = { status: 'False', reason: 'KubeletNotReady', message: 'node is shutting down' }
    if (this.registered) this.run('status', this.report())
  }

  private registerDevices(delay: Us): void {
    const { boot, gpus, world } = this.options
    if (delay === 0) {
      this.devices.register(GPU, gpus)
      return
    }
    if (boot > 0) this.devices.expect(GPU)
    this.timers.push(world.clock.after(delay, () => this.devices.register(GPU, gpus)))
  }

  private run(name: string, task: Task): void {
    this.actors.push(this.options.world.spawn(`kubelet/${this.options.node.name}/${name}`, task))
  }

  private *register(): Task {
    const { node, world, boot } = this.options
    const kube = this.uplink
    const draft = this.draft()
    const resources = this.resources()
    const status = { ...(draft.status as object), ...resources, ...this.images() }
    try {
      const made = yield* kube.create(NodeKind, { ...draft, status })
      if (!made.status?.allocatable) yield* kube.patch(NodeKind, node.name, { status }, STATUS)
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
      const known = yield* kube.patch(NodeKind, node.name, { metadata: { labels: draft.metadata.labels } })
      const conditions = kubeletConditions(known.status.conditions ?? [], world.clock.now)
      yield* kube.patch(NodeKind, node.name, { status: { ...status, conditions, volumesInUse: null } }, STATUS)
    }
    this.registered = true
    // a device plugin may have come while the API server could not be reached
    if (!equal(resources, this.resources())) this.statusChanged()
    if (boot > 0) this.tellReboot(draft as Node)
    this.unwatch = kube.watch(NodeKind, { updated: (_, now) => this.compare(now) })
    this.kubelet.start()
    this.run('lease', this.lease())
  }

  private draft(): Draft<Node> {
    const { node, world, kubeletApi } = this.options
    return nodeObject(node, this.resources(), world.clock.now, kubeletApi)
  }

  private tellReboot(node: Node): void {
    const hex = (digits: number) => Array.from({ length: digits }, () => random.int(16).toString(16)).join('')
    const random = this.options.world.random(`node/${node.metadata.name}/boot/${this.options.boot}`)
    const bootID = `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`
    const about = this.uplink.get(NodeKind, node.metadata.name) ?? node
    this.uplink.event(about, 'Normal', 'Starting', 'Starting kubelet.')
    const message = `Node ${node.metadata.name} has been rebooted, boot id: ${bootID}`
    this.uplink.event(about, 'Warning', 'Rebooted', message)
  }

  private *lease(): Task {
    const { world, node, leases, boot } = this.options
    const { name } = node
    const kube = this.uplink
    const key = `kube-node-lease/${name}`
    const spec = () => ({
      holderIdentity: name,
      leaseDurationSeconds: LEASE_DURATION_SECONDS,
      renewTime: toMicroTime(world.clock.now),
    })
    const metadata = { name, namespace: 'kube-node-lease' }
    const lease = yield* this.firstLease(key, { apiVersion: Lease.apiVersion, kind: 'Lease', metadata, spec: spec() })
    const random = world.random(`kubelet/${name}/lease/${boot}`)
    leases?.start(name, random)
    if (this.options.renewLease) yield* renewLease({ kube, random, lease, spec })
  }

  private *firstLease(key: string, draft: Draft<LeaseObject>): Task<LeaseObject> {
    try {
      return yield* this.uplink.create(Lease, draft)
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
      return yield* this.uplink.patch(Lease, key, { spec: draft.spec })
    }
  }

  private compare(node: Node): void {
    if (saysOtherwise(node.status.conditions, this.readiness)) this.statusChanged()
  }

  /** Changes are reported when the kubelet next computes its node status, every ten seconds. */
  private statusChanged(): void {
    if (!this.registered || this.stopped || this.statusTimer) return
    const { world, statusPhase } = this.options
    const at = nextTick(world.clock.now + 1, statusPhase, NODE_STATUS_PERIOD)
    this.statusTimer = world.clock.at(at, () => {
      this.statusTimer = undefined
      this.run('status', this.report())
    })
  }

  private *report(): Task {
    const { node, world } = this.options
    const before = this.uplink.get(NodeKind, node.name)?.status.conditions ?? []
    const conditions = kubeletConditions(before, world.clock.now, this.readiness)
    const volumesInUse = this.volumes.inUse()
    const status = { ...this.resources(), ...this.images(), ...this.inUse(volumesInUse), conditions }
    try {
      yield* this.uplink.patch(NodeKind, node.name, { status }, STATUS)
      this.volumes.markReported(volumesInUse)
    } catch (error) {
      // a Node that was deleted is not made again until the kubelet is started anew
      if (!isApiError(error, 'NotFound')) throw error
    }
  }

  private resources() {
    const { own } = this
    const devices = this.devices.counts()
    return {
      capacity: { ...own.capacity, ...devices.capacity },
      allocatable: { ...own.allocatable, ...devices.allocatable },
    }
  }

  private inUse(names: readonly string[]) {
    const said = this.uplink.get(NodeKind, this.options.node.name)?.status.volumesInUse ?? []
    return names.length + said.length > 0 ? { volumesInUse: names.length > 0 ? names : null } : {}
  }

  private images() {
    return { images: this.kubelet.images.list() }
  }
}

const STATUS = { subresource: 'status' } as const
