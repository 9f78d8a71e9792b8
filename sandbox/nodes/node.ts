import { DeviceManager } from '../gpus/device-manager.ts'
import { GPU, gpuId } from '../gpus/gpu-plugin.ts'
import { isApiError } from '../kube/errors.ts'
import { Lease, Node as NodeKind, Pod as PodKind } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Node } from '../kube/objects.ts'
import type { PodNetwork } from '../network/pod-network.ts'
import { type Actor, sleep, type Task } from '../world/actor.ts'
import type { Timer } from '../world/clock.ts'
import { seconds, toRfc3339, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { ContainerStats } from './container-stats.ts'
import { Kubelet } from './kubelet.ts'
import type { ProgramFor } from './kubelet-context.ts'
import { type NodeSpec, nodeObject, nodeResources } from './node-object.ts'
import type { Registry } from './registry.ts'
import {
  assumedTimings,
  LEASE_DURATION_SECONDS,
  LEASE_RENEW_PERIOD,
  NODE_STATUS_PERIOD,
  type NodeTimings,
  nextTick,
} from './timings.ts'

export interface NodeOptions {
  readonly world: World
  /** The kubelet's client: process `kubelet/<name>`, best made with `kubeletFields`. */
  readonly kube: Kube
  readonly node: NodeSpec
  readonly network: PodNetwork
  readonly registry: Registry
  readonly programFor: ProgramFor
  /** How fast an image is pulled and unpacked when the registry's factor is 1. */
  readonly pullBytesPerSecond: number
  /** One image at a time, as by default upstream. */
  readonly serializeImagePulls?: boolean
  readonly timings?: NodeTimings
  /**
   * When the kubelet began; an hour before the trial by default. A kubelet younger than a probe's period spreads first probes over it.
   */
  readonly startedAt?: Us
  /**
   * Writes the node's Lease every ten seconds. Off by default: a renewal changes nothing but its time, which only a node
   * lifecycle controller reads. Turn it on where one runs.
   */
  readonly renewLease?: boolean
}

/** A node that runs pods, and what can be done to it. */
export interface RunningNode {
  readonly name: string
  /** Ids of its GPUs, in order. */
  readonly gpus: readonly string[]
  /** Which pod (by uid) and container have a GPU now. */
  holderOf(gpu: string): { podUid: string; container: string } | undefined
  /** What the device plugin says of a GPU. Allocatable follows with the next node status. Throws a RangeError for an unknown one. */
  setGpuHealth(gpu: string, healthy: boolean): void
  /** What the runtime says of the containers that run now; undefined when the node is off. */
  containerStats(): readonly ContainerStats[] | undefined
  /** Kills a container's main process: exit code 137. False when it does not run. */
  killProcess(podKey: string, container: string): boolean
  /** Everything on the node stops at once and says nothing. There is no way back. */
  powerOff(): void
}

/** Narrows what a kubelet watches to its own node and pods: `fields` of a `StoreKube`. */
export const kubeletFields = (nodeName: string) =>
  ({
    [PodKind.id]: { path: 'spec.nodeName', value: nodeName },
    [NodeKind.id]: { path: 'metadata.name', value: nodeName },
  }) as const

/**
 * Starts a node: registers it, then runs the pods that are bound to it. Heartbeats in the node's conditions, which upstream
 * writes every five minutes when nothing changed, are left out: nothing in a trial reads them.
 */
export function startNode(options: NodeOptions): RunningNode {
  return new SimulatedNode(options)
}

class SimulatedNode implements RunningNode {
  readonly name: string
  readonly gpus: readonly string[]
  private readonly options: NodeOptions
  private readonly devices: DeviceManager
  private readonly kubelet: Kubelet
  private readonly statusPhase: Us
  private readonly actors: Actor[] = []
  private registered = false
  private off = false
  private statusTimer: Timer | undefined

  constructor(options: NodeOptions) {
    const { world, node } = options
    this.options = options
    this.name = node.name
    const random = world.random(`node/${node.name}`)
    this.statusPhase = random.int(NODE_STATUS_PERIOD)
    this.devices = new DeviceManager(() => this.statusChanged())
    this.gpus = Array.from({ length: node.gpu?.count ?? 0 }, () => gpuId(random))
    if (this.gpus.length > 0) this.devices.register(GPU, this.gpus)
    this.kubelet = new Kubelet({
      ...options,
      nodeName: node.name,
      nodeIP: node.ip,
      podCIDR: node.podCIDR,
      devices: this.devices,
      timings: options.timings ?? assumedTimings,
      serializeImagePulls: options.serializeImagePulls ?? true,
      cachedImages: node.images ?? [],
      initialNode: nodeObject(node, this.resources(), world.clock.now) as Node,
      startedAt: options.startedAt ?? -seconds(3600),
      imagesChanged: () => this.statusChanged(),
    })
    this.run('register', this.register())
  }

  holderOf(gpu: string) {
    return this.devices.holderOf(gpu)
  }

  setGpuHealth(gpu: string, healthy: boolean): void {
    this.devices.setHealth(gpu, healthy)
  }

  containerStats(): readonly ContainerStats[] | undefined {
    return this.off ? undefined : this.kubelet.running()
  }

  killProcess(podKey: string, container: string): boolean {
    return this.kubelet.killProcess(podKey, container)
  }

  powerOff(): void {
    if (this.off) return
    this.off = true
    this.statusTimer?.cancel()
    for (const actor of this.actors) actor.stop()
    this.kubelet.powerOff()
  }

  private run(name: string, task: Task): void {
    this.actors.push(this.options.world.spawn(`kubelet/${this.name}/${name}`, task))
  }

  private *register(): Task {
    const { kube, node, world } = this.options
    const status = { ...this.resources(), ...this.images() }
    const draft = nodeObject(node, this.resources(), world.clock.now)
    try {
      const made = yield* kube.create(NodeKind, { ...draft, status: { ...(draft.status as object), ...status } })
      if (!made.status?.allocatable)
        yield* kube.patch(NodeKind, node.name, { status: { ...(draft.status as object), ...status } }, STATUS)
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
      yield* kube.patch(NodeKind, node.name, { metadata: { labels: draft.metadata.labels } })
      yield* kube.patch(NodeKind, node.name, { status: { ...(draft.status as object), ...status } }, STATUS)
    }
    this.registered = true
    kube.get(NodeKind, node.name)
    this.kubelet.start()
    this.run('lease', this.lease())
  }

  private *lease(): Task {
    const { kube, world } = this.options
    const key = `kube-node-lease/${this.name}`
    const spec = () => ({
      holderIdentity: this.name,
      leaseDurationSeconds: LEASE_DURATION_SECONDS,
      renewTime: toRfc3339(world.clock.now),
    })
    const metadata = { name: this.name, namespace: 'kube-node-lease' }
    try {
      yield* kube.create(Lease, { apiVersion: Lease.apiVersion, kind: 'Lease', metadata, spec: spec() })
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
      yield* kube.patch(Lease, key, { spec: spec() })
    }
    while (this.options.renewLease) {
      yield* sleep(LEASE_RENEW_PERIOD)
      yield* kube.patch(Lease, key, { spec: spec() })
    }
  }

  /** Changes are reported when the kubelet next computes its node status, every ten seconds. */
  private statusChanged(): void {
    if (!this.registered || this.off || this.statusTimer) return
    const { clock } = this.options.world
    const at = nextTick(clock.now + 1, this.statusPhase, NODE_STATUS_PERIOD)
    this.statusTimer = clock.at(at, () => {
      this.statusTimer = undefined
      this.run('status', this.report())
    })
  }

  private *report(): Task {
    const { kube } = this.options
    yield* kube.patch(NodeKind, this.name, { status: { ...this.resources(), ...this.images() } }, STATUS)
  }

  private resources() {
    const own = nodeResources(this.options.node)
    const devices = this.devices.counts()
    return {
      capacity: { ...own.capacity, ...devices.capacity },
      allocatable: { ...own.allocatable, ...devices.allocatable },
    }
  }

  private images() {
    return { images: this.kubelet.images.list() }
  }
}

const STATUS = { subresource: 'status' } as const
