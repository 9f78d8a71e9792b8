import type { DeviceManager } from '../gpus/device-manager.ts'
import { Node as NodeKind, Pod as PodKind } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Node, Pod } from '../kube/objects.ts'
import type { PodNetwork } from '../network/pod-network.ts'
import type { Actor } from '../world/actor.ts'
import { seconds, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { admit, type Rejection } from './admission.ts'
import { crashLoopBackoff } from './backoff.ts'
import { type ContainerStats, statsOf } from './container-stats.ts'
import { failProcess } from './device-failure.ts'
import { type HostedPod, hostedPod } from './hosted-pod.ts'
import { ImageManager } from './images.ts'
import type { KubeletContext, ProgramFor } from './kubelet-context.ts'
import type { NodeVolumes } from './node-volumes.ts'
import { Pleg } from './pleg.ts'
import { HostEndpoints, PodAddresses } from './pod-addresses.ts'
import type { PodView } from './pod-runtime.ts'
import { differ, readinessStale, rejectedStatus } from './pod-updates.ts'
import { PodWorker } from './pod-worker.ts'
import { ProbeResults } from './prober/results.ts'
import type { Registry } from './registry.ts'
import { ShutDown, type ShutdownOptions } from './shutdown.ts'
import { StatusManager } from './status-manager.ts'
import { type NodeTimings, REJECTS_IN, STATUS_SYNC_PERIOD } from './timings.ts'
import { eventsOf, type Traffic } from './traffic.ts'
import { unmodelledNotes } from './unmodelled.ts'

export interface KubeletOptions {
  readonly world: World
  readonly kube: Kube
  readonly nodeName: string
  readonly nodeIP: string
  readonly podCIDR: string
  readonly network: PodNetwork
  readonly registry: Registry
  readonly devices: DeviceManager
  readonly programFor: ProgramFor
  readonly timings: NodeTimings
  readonly pullBytesPerSecond: number
  readonly serializeImagePulls: boolean
  readonly cachedImages: readonly string[]
  /** The node's attached volumes, where claims are mounted. */
  readonly attached?: NodeVolumes
  readonly traffic?: Traffic
  /** Whether the output of containers is kept for those who ask the kubelet for it. */
  readonly keepsLogs: boolean
  /** The Node as it was registered: pods are admitted by it until the cache has the real one. */
  readonly initialNode: Node
  /** When the kubelet process began. Before the trial: it has been up for long. */
  readonly startedAt: Us
  /** How often the machine was booted before. */
  readonly boot: number
  /** What the container runtime finds of the time before: by pod uid. */
  readonly left: ReadonlyMap<string, PodView>
  /** Whether a device does not answer. */
  deviceLost(id: string): boolean
  imagesChanged(): void
}

interface Entry {
  readonly worker: PodWorker
  actor: Actor | undefined
  /** Gone from the API. */
  removed: boolean
  readonly rejected: boolean
}

/** Runs the pods of one node. Follows pkg/kubelet/kubelet.go: the sync loop's handlers, and pkg/kubelet/config/config.go. */
export class Kubelet {
  readonly images: ImageManager
  private readonly options: KubeletOptions
  private readonly context: KubeletContext
  private readonly hosts: HostEndpoints
  /** By pod uid. */
  private readonly pods = new Map<string, Entry>()
  private unwatch: (() => void) | undefined
  private stopping: ShutDown | undefined

  constructor(options: KubeletOptions) {
    this.options = options
    const { world, kube, nodeName, network } = options
    const random = world.random(options.boot === 0 ? `kubelet/${nodeName}` : `kubelet/${nodeName}/${options.boot}`)
    const phase = (period: Us) => Math.floor(random.next() * period)
    const event = eventsOf(kube, world, options.traffic)
    this.hosts = new HostEndpoints(options.nodeIP, network)
    this.images = new ImageManager({
      clock: world.clock,
      registry: options.registry,
      bytesPerSecond: options.pullBytesPerSecond,
      resolveTakes: options.timings.resolveImage,
      serialize: options.serializeImagePulls,
      cached: options.cachedImages,
      event,
      changed: options.imagesChanged,
    })
    this.context = {
      ...options,
      random,
      syncPhase: phase(seconds(1)),
      images: this.images,
      addresses: new PodAddresses(options.podCIDR),
      pleg: new Pleg({ clock: world.clock, phase: phase(seconds(1)), relistTakes: options.timings.relist }),
      statuses: this.statusManager(phase(STATUS_SYNC_PERIOD)),
      probeResults: new ProbeResults(),
      crashLoop: crashLoopBackoff(),
      event,
      unmodelled: unmodelledNotes(world, nodeName),
    }
  }

  /** Takes up the pods that are bound to the node, now and later. */
  start(): void {
    this.unwatch = this.options.kube.watch(PodKind, {
      added: (pod) => this.added(pod),
      updated: (before, after) => {
        if (before.metadata.uid === after.metadata.uid) this.updated(before, after)
        else {
          this.removed(before)
          this.added(after)
        }
      },
      deleted: (pod) => this.removed(pod),
    })
  }

  /** Ends everything at once, as when power is lost: processes are gone, nobody is told. Returns what is left of each pod on disk. */
  powerOff(): Map<string, PodView> {
    const left = new Map<string, PodView>()
    for (const [uid, { worker }] of this.pods) left.set(uid, worker.runtime.snapshot())
    this.unwatch?.()
    this.stopping?.stop()
    this.context.statuses.stop()
    this.context.pleg.stop()
    for (const { worker, actor } of this.pods.values()) {
      actor?.stop()
      worker.abandon()
    }
    this.pods.clear()
    return left
  }

  /** Ends all pods because the machine goes down; refuses others. Follows pkg/kubelet/nodeshutdown. */
  shutDown(options: ShutdownOptions): void {
    this.stopping ??= new ShutDown({
      ...options,
      world: this.options.world,
      nodeName: this.options.nodeName,
      workers: () => [...this.pods.values()].filter(({ actor }) => actor).map(({ worker }) => worker),
    })
  }

  /** A pod that is here, by key; of two the later one. */
  hosted(podKey: string): HostedPod | undefined {
    const entry = [...this.pods.values()].findLast(({ worker }) => worker.key === podKey)
    return entry && hostedPod(entry.worker, this.context)
  }

  /** Kills the main process of a running container. False when there is none. */
  killProcess(podKey: string, container: string): boolean {
    for (const { worker } of this.pods.values()) {
      const target = worker.key === podKey ? worker.runtime.running(container) : undefined
      if (!target) continue
      target.program?.signal('SIGKILL')
      worker.runtime.exit(target, { at: this.options.world.clock.now, exitCode: 137 })
      return true
    }
    return false
  }

  /** A device of the container failed under its process. */
  failDevice(podUid: string, container: string): void {
    const worker = this.pods.get(podUid)?.worker
    if (worker) failProcess(worker.runtime, container, this.options.world.clock.now)
  }

  /** Containers that run now, in the order of their pods. */
  running(): ContainerStats[] {
    return [...this.pods.values()].flatMap(({ worker }) =>
      statsOf(worker.pod, worker.runtime, this.options.devices, this.options.world.clock.now),
    )
  }

  private added(pod: Pod): void {
    const { uid } = pod.metadata
    if (pod.spec.nodeName !== this.options.nodeName || this.pods.has(uid)) return
    const { kube, nodeName, devices } = this.options
    const fresh = pod.status.phase !== 'Failed' && pod.status.phase !== 'Succeeded'
    const why =
      fresh && !pod.metadata.deletionTimestamp
        ? (this.stopping?.rejection ??
          admit({
            pod,
            others: this.activePods(),
            node: kube.get(NodeKind, nodeName) ?? this.options.initialNode,
            devices,
          }))
        : undefined
    const left = this.options.left.get(uid)
    const worker = new PodWorker({ context: this.context, pod, hosts: this.hosts, ...(left ? { left } : {}) })
    const entry: Entry = { worker, actor: undefined, removed: false, rejected: why !== undefined }
    this.pods.set(uid, entry)
    if (why) {
      devices.release(uid)
      // takes time, so that pods which are made and refused over and over do not hold time still
      this.options.world.clock.after(REJECTS_IN, () => this.reject(entry, why))
      return
    }
    if (!fresh) worker.skipToTerminated()
    this.begin(entry)
  }

  private reject({ worker: { pod } }: Entry, why: Rejection): void {
    if (!this.pods.has(pod.metadata.uid)) return
    this.context.event(pod, 'Warning', why.reason, why.message)
    this.context.statuses.set(pod, rejectedStatus(pod, why))
  }

  private begin(entry: Entry): void {
    const { world, nodeName } = this.options
    const { worker } = entry
    const run = worker.run(() => this.finished(entry))
    worker.update()
    entry.actor = world.spawn(`kubelet/${nodeName}/${worker.key}`, run)
  }

  private updated(before: Pod, after: Pod): void {
    const entry = this.pods.get(after.metadata.uid)
    if (!entry) {
      this.added(after)
      return
    }
    const { worker } = entry
    worker.pod = after
    this.context.statuses.seen(after)
    if (!differ(before, after)) {
      if (after.spec.readinessGates?.length && readinessStale(after) && entry.actor) worker.update()
      return
    }
    if (entry.rejected && !entry.actor && after.metadata.deletionTimestamp) {
      worker.skipToTerminated()
      this.begin(entry)
    } else if (entry.actor) worker.update()
    if (after.metadata.deletionTimestamp) this.context.statuses.recheck(after.metadata.uid)
  }

  private removed(pod: Pod): void {
    const entry = this.pods.get(pod.metadata.uid)
    if (!entry) return
    // the worker goes on with the pod as it last was: a forced deletion does not shorten its grace period
    entry.removed = true
    // its devices may be given out while its processes end, as by UpdateAllocatedDevices
    this.options.devices.release(pod.metadata.uid)
    if (entry.worker.finished || !entry.actor) this.forget(pod.metadata.uid)
    else entry.worker.update(true)
  }

  private finished({ removed, worker }: Entry): void {
    if (removed) this.forget(worker.pod.metadata.uid)
  }

  private forget(uid: string): void {
    const entry = this.pods.get(uid)
    if (entry) this.context.pleg.forget(entry.worker.record)
    this.pods.delete(uid)
    this.context.statuses.forget(uid)
    this.context.images.forget(uid)
    this.context.crashLoop.forget(`${uid}_`)
    this.options.devices.release(uid)
  }

  /** Pods that hold resources; not those that were deleted by force, though they may still be ending. Follows GetActivePods. */
  private activePods(): Pod[] {
    const active: Pod[] = []
    for (const { worker, rejected, removed } of this.pods.values()) {
      if (rejected || removed || worker.terminatedAt !== undefined) continue
      active.push(worker.pod)
    }
    return active
  }

  private statusManager(phase: Us): StatusManager {
    const { world, kube, nodeName, traffic } = this.options
    return new StatusManager({
      ...(traffic ? { traffic } : {}),
      world,
      kube,
      name: `kubelet/${nodeName}/status`,
      phase,
      couldHaveRunningContainers: (uid) => {
        const entry = this.pods.get(uid)
        return entry !== undefined && !entry.rejected && entry.worker.terminatedAt === undefined
      },
      containerChanged: (uid, container) => this.pods.get(uid)?.worker.probes.containerChanged(container),
    })
  }
}
