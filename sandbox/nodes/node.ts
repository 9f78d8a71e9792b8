import { gpuId } from '../gpus/gpu-plugin.ts'
import { xidEffect } from '../gpus/xid.ts'
import { Node as NodeKind, Pod as PodKind } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { PodNetwork } from '../network/pod-network.ts'
import type { Timer } from '../world/clock.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { ContainerStats } from './container-stats.ts'
import type { HostedPod } from './hosted-pod.ts'
import type { ProgramFor } from './kubelet-context.ts'
import { NodeAgent } from './node-agent.ts'
import type { NodeLeases } from './node-leases.ts'
import { NodeNetwork } from './node-network.ts'
import type { KubeletAddress, NodeSpec } from './node-object.ts'
import type { PodView } from './pod-runtime.ts'
import type { Registry } from './registry.ts'
import type { ShutdownOptions } from './shutdown.ts'
import { assumedBoot, type BootTimings, NODE_STATUS_PERIOD, type NodeTimings } from './timings.ts'
import type { Traffic } from './traffic.ts'

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
  /** Whether claims must be bound and their volumes attached before a pod starts; otherwise it is enough that they exist. */
  readonly mountsClaims?: boolean
  /**
   * When the kubelet began; an hour before the trial by default. A kubelet younger than a probe's period spreads first probes over it.
   */
  readonly startedAt?: Us
  /** Writes the node's Lease every ten seconds: for a control plane that is not ours. */
  readonly renewLease?: boolean
  /** What is sent of its pods; `full`, as upstream's kubelet, by default. */
  readonly traffic?: Traffic
  /** Renewals that are worked out instead of written; give the same to the node lifecycle controller. */
  readonly leases?: NodeLeases
  /** How long it takes to come back after `powerOn`. */
  readonly bootTimings?: BootTimings
  /** Where its kubelet answers the API server, in the Node's status; the output of containers is kept then. Left out: nowhere. */
  readonly kubeletApi?: KubeletAddress
  /** From the first registration until the GPU device plugin has registered; 0 by default: it had before the trial. */
  readonly pluginDelay?: Us
}

/** `gone`: there is no such machine any more. */
export type PowerState = 'on' | 'off' | 'booting' | 'gone'

/** A node that runs pods, and what can be done to it. */
export interface RunningNode {
  readonly name: string
  readonly power: PowerState
  /** Whether it reaches the API server, and its pods can be reached. */
  readonly connected: boolean
  /** Ids of its GPUs, in order. */
  readonly gpus: readonly string[]
  /** Which pod (by uid) and container have a GPU now. */
  holderOf(gpu: string): { podUid: string; container: string } | undefined
  /** What the device plugin says of a GPU. Allocatable follows with the next node status. Throws a RangeError for an unknown one. */
  setGpuHealth(gpu: string, healthy: boolean): void
  /**
   * The driver reports an Xid of a GPU: see `xidEffect`. Returns how to mend it: the GPU is reset and the plugin started anew; a
   * boot does both, too. Throws a RangeError for a GPU or an Xid that is not known.
   */
  failGpu(gpu: string, xid: number): () => void
  /** What the runtime says of the containers that run now; undefined when nobody can ask it. */
  containerStats(): readonly ContainerStats[] | undefined
  /** A pod on it, by key; undefined when it is not there or nobody can ask. */
  hosted(podKey: string): HostedPod | undefined
  /** What it was started as. */
  readonly spec: NodeSpec
  /** Kills a container's main process: exit code 137. False when it does not run. */
  killProcess(podKey: string, container: string): boolean
  /** Everything on the node stops at once and says nothing. Requests under way are never answered. */
  powerOff(): void
  /**
   * Boots again under its name, empty: pods that are still bound to it are started anew, those with GPUs are refused until the
   * device plugin is back. Does nothing unless it is off.
   */
  powerOn(): void
  /** Neither reaches nor can be reached, while what runs on it goes on. Returns how to heal; cuts may overlap. */
  disconnect(): () => void
  /** The operating system goes down in good order: the kubelet ends the pods within the time, then the power goes. */
  shutDown(options: Omit<ShutdownOptions, 'done'>): void
  /** The machine is taken away for good: power off, and no way back. */
  destroy(): void
}

/** Narrows what a kubelet watches to its own node and pods: `fields` of a `StoreKube`. */
export const kubeletFields = (nodeName: string) =>
  ({
    [PodKind.id]: { path: 'spec.nodeName', value: nodeName },
    [NodeKind.id]: { path: 'metadata.name', value: nodeName },
  }) as const

/** Starts a node: registers it, then runs the pods that are bound to it. */
export function startNode(options: NodeOptions): RunningNode {
  return new SimulatedNode(options)
}

class SimulatedNode implements RunningNode {
  readonly name: string
  readonly gpus: readonly string[]
  power: PowerState = 'on'
  private readonly options: NodeOptions
  private readonly network: NodeNetwork
  private readonly statusPhase: Us
  /** GPUs that do not answer. */
  private readonly lost = new Set<string>()
  private agent: NodeAgent
  private boots = 0
  private cuts = 0
  private left = new Map<string, PodView>()
  private bootTimer: Timer | undefined

  constructor(options: NodeOptions) {
    const { world, node } = options
    this.options = options
    this.name = node.name
    const random = world.random(`node/${node.name}`)
    this.statusPhase = random.int(NODE_STATUS_PERIOD)
    this.gpus = Array.from({ length: node.gpu?.count ?? 0 }, () => gpuId(random))
    this.network = new NodeNetwork({ clock: world.clock, outer: options.network })
    this.agent = this.newAgent(node.images ?? [], options.pluginDelay ?? 0)
    this.agent.start()
  }

  get connected(): boolean {
    return this.power === 'on' && this.cuts === 0
  }

  holderOf(gpu: string) {
    return this.agent.devices.holderOf(gpu)
  }

  setGpuHealth(gpu: string, healthy: boolean): void {
    this.agent.devices.setHealth(gpu, healthy)
  }

  failGpu(gpu: string, xid: number): () => void {
    const { killsProcess, unhealthy, lost } = xidEffect(xid)
    if (!this.gpus.includes(gpu)) throw new RangeError(`no GPU ${gpu} on ${this.name}`)
    if (this.power !== 'on') return () => undefined
    const { agent } = this
    if (lost) this.lost.add(gpu)
    const registered = agent.devices.knows(gpu)
    if (unhealthy && registered) agent.devices.setHealth(gpu, false)
    const holder = agent.devices.holderOf(gpu)
    if (killsProcess && holder) agent.kubelet.failDevice(holder.podUid, holder.container)
    return () => {
      if (this.agent !== agent || this.power !== 'on') return
      this.lost.delete(gpu)
      if (agent.devices.knows(gpu)) agent.devices.setHealth(gpu, true)
    }
  }

  containerStats(): readonly ContainerStats[] | undefined {
    return this.connected ? this.agent.kubelet.running() : undefined
  }

  hosted(podKey: string): HostedPod | undefined {
    return this.connected ? this.agent.kubelet.hosted(podKey) : undefined
  }

  get spec(): NodeSpec {
    return this.options.node
  }

  killProcess(podKey: string, container: string): boolean {
    return this.agent.kubelet.killProcess(podKey, container)
  }

  powerOff(): void {
    if (this.power === 'gone' || this.power === 'off') return
    this.bootTimer?.cancel()
    if (this.power === 'on') {
      this.network.darken()
      this.network.lose()
      this.left = this.agent.stop()
    }
    this.power = 'off'
  }

  powerOn(): void {
    if (this.power !== 'off') return
    this.power = 'booting'
    const { kubelet, devicePlugin } = this.options.bootTimings ?? assumedBoot
    this.bootTimer = this.options.world.clock.after(kubelet, () => {
      this.power = 'on'
      this.boots++
      this.lost.clear()
      const images = this.agent.kubelet.images.list().flatMap(({ names }) => names)
      this.agent = this.newAgent(images, devicePlugin)
      if (this.cuts > 0) this.agent.cut()
      else this.network.lighten()
      this.agent.start()
    })
  }

  disconnect(): () => void {
    if (this.cuts++ === 0 && this.power === 'on') {
      this.network.darken()
      this.agent.cut()
    }
    let over = false
    return () => {
      if (over) return
      over = true
      if (--this.cuts > 0 || this.power !== 'on') return
      this.network.lighten()
      this.agent.heal()
    }
  }

  shutDown(options: Omit<ShutdownOptions, 'done'>): void {
    if (this.power !== 'on') return
    const { agent } = this
    agent.sayShuttingDown()
    agent.kubelet.shutDown({
      ...options,
      done: () => {
        if (this.agent === agent) this.powerOff()
      },
    })
  }

  destroy(): void {
    this.powerOff()
    this.power = 'gone'
  }

  private newAgent(cachedImages: readonly string[], pluginDelay: Us): NodeAgent {
    const { network, gpus, left, statusPhase } = this
    return new NodeAgent({
      ...this.options,
      network,
      gpus,
      left,
      cachedImages,
      statusPhase,
      boot: this.boots,
      pluginDelay: gpus.length > 0 ? pluginDelay : 0,
      deviceLost: (id) => this.lost.has(id),
    })
  }
}
