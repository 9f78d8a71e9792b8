import { podsByNode } from '../../../controllers/node-lifecycle/pods-not-ready.ts'
import { addTaints, removeTaints } from '../../../controllers/node-lifecycle/taints.ts'
import { GPU } from '../../../gpus/gpu-plugin.ts'
import { ApiError } from '../../../kube/errors.ts'
import { Node, Pod, PodDisruptionBudget } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { condition, isFinished } from '../../../kube/pods.ts'
import { sleep, type Task } from '../../../world/actor.ts'
import { EPOCH_MS, seconds, type Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import { deleteNode, evacuate, residents } from '../evacuate.ts'
import { FitSimulator, type Misfit, unbound } from '../fit.ts'
import { type MachinePark, type ProvisioningDelays, templateNode, typicalDelays } from '../machines.ts'
import { PendingPods } from '../pending-pods.ts'
import { NodeGroup } from './node-group.ts'
import { type ClusterAutoscalerFlags, defaultFlags, type NodeGroupOptions } from './options.ts'
import { keeps, utilization } from './scale-down.ts'
import { choose, estimate, type Option } from './scale-up.ts'

export interface ClusterAutoscalerOptions {
  readonly world: World
  /** A client of the process `cluster-autoscaler`. */
  readonly kube: Kube
  readonly park: MachinePark
  readonly groups: readonly NodeGroupOptions[]
  readonly flags?: Partial<ClusterAutoscalerFlags>
  readonly delays?: ProvisioningDelays
}

const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler'

/**
 * The Cluster Autoscaler: adds nodes for pods that fit nowhere, removes nodes nobody needs. Follows
 * cluster-autoscaler/core/static_autoscaler.go; balancing of similar groups, resource limits, overhead of DaemonSets on new nodes
 * and removal of nodes that are not ready are left out. Returns its node groups.
 */
export function runClusterAutoscaler(options: ClusterAutoscalerOptions): readonly NodeGroup[] {
  const autoscaler = new ClusterAutoscaler(options)
  options.world.spawn('cluster-autoscaler', autoscaler.run())
  return autoscaler.groups
}

class ClusterAutoscaler {
  readonly groups: readonly NodeGroup[]
  private readonly world: World
  private readonly kube: Kube
  private readonly flags: ClusterAutoscalerFlags
  private readonly pending: PendingPods
  private readonly unneededSince = new Map<string, Us>()
  private readonly deleting = new Set<string>()
  private readonly random
  private lastScaleUp: Us = Number.NEGATIVE_INFINITY
  private lastFailure: Us = Number.NEGATIVE_INFINITY
  private readonly told = new Map<string, string>()
  /** Whether the cluster is another than when unneeded nodes were last looked for. */
  private changed = true

  constructor(options: ClusterAutoscalerOptions) {
    const { world, kube, park, delays = typicalDelays } = options
    this.world = world
    this.kube = kube
    this.flags = { ...defaultFlags, ...options.flags }
    this.random = world.random('cluster-autoscaler')
    const parts = { world, park, delays, flags: this.flags, random: this.random }
    this.groups = options.groups.map((group) => new NodeGroup(group, parts))
    this.pending = new PendingPods(kube)
    const changed = () => {
      this.changed = true
    }
    const all = { added: changed, updated: changed, deleted: changed }
    kube.watch(Node, all)
    kube.watch(Pod, all)
    kube.watch(PodDisruptionBudget, all)
  }

  *run(): Task {
    for (;;) {
      yield* sleep(this.flags.scanInterval)
      this.giveUpLate()
      this.seeReady()
      const pods = this.unfit()
      if (pods.length === 0 || !this.scaleUp(pods)) this.scaleDown()
    }
  }

  /** Machines that did not register in time are given back. Follows removeOldUnregisteredNodes. */
  private giveUpLate(): void {
    const { now } = this.world.clock
    for (const group of this.groups)
      for (const [name, order] of [...group.members]) {
        if (this.kube.get(Node, name)) continue
        if (now - order.orderedAt <= this.flags.maxNodeProvisionTime || this.deleting.has(name)) continue
        group.remove(name)
        group.backOff()
        this.note(`scale-up of ${group.name} timed out: ${name} did not register`)
      }
  }

  private seeReady(): void {
    for (const { members } of this.groups)
      for (const [name, order] of members) {
        if (order.wasReady) continue
        const node = this.kube.get(Node, name)
        order.wasReady = node !== undefined && this.isReady(node)
      }
  }

  /** Follows utils/gpu FilterOutNodesWithUnreadyResources and kubernetes.IsNodeReadyAndSchedulable. */
  private isReady(node: o.Node): boolean {
    if (condition(node, 'Ready')?.status !== 'True' || this.deleting.has(node.metadata.name)) return false
    const { gpuLabel } = this.flags
    return !(gpuLabel && node.metadata.labels?.[gpuLabel] !== undefined && !Number(node.status.allocatable[GPU] ?? 0))
  }

  private simulator(): FitSimulator {
    const nodes = this.kube.list(Node).filter((node) => this.isReady(node))
    const pods = this.kube.list(Pod).filter((pod) => !isFinished(pod))
    return new FitSimulator({ kube: this.kube, nodes, pods })
  }

  /** Nodes that are on their way, as they will be: one that was ready and fell is not. */
  private upcoming(): o.Node[] {
    return this.groups.flatMap(({ members, options }) =>
      [...members].flatMap(([name, { wasReady }]) => (wasReady ? [] : [templateNode(name, options.shape)])),
    )
  }

  /** Pods that fit neither where there is room nor where there will be. Follows core/podlistprocessor/filter_out_schedulable.go. */
  private unfit(): o.Pod[] {
    if (this.pending.size === 0) return []
    const simulator = this.simulator()
    for (const node of this.upcoming()) simulator.addNode(node)
    const { expendablePodsPriorityCutoff } = this.flags
    return this.pending
      .list()
      .filter((pod) => (pod.spec.priority ?? 0) >= expendablePodsPriorityCutoff)
      .filter((pod) => 'misfit' in simulator.place(pod))
  }

  /** Whether any group grew. Follows core/scaleup/orchestrator/orchestrator.go. */
  private scaleUp(pods: readonly o.Pod[]): boolean {
    const total = this.kube.list(Node).length + this.upcoming().length
    const { maxNodesTotal, expander } = this.flags
    const options: Option[] = []
    const why = new Map<o.Pod, string[]>()
    for (const group of this.groups) {
      const skip = group.backedOff
        ? 'in backoff after failed scale-up'
        : group.target >= group.options.max
          ? 'max node group size reached'
          : undefined
      const room = Math.min(
        group.options.max - group.target,
        maxNodesTotal > 0 ? Math.max(0, maxNodesTotal - total) : Number.POSITIVE_INFINITY,
      )
      const { option, misfits } = skip
        ? { option: undefined, misfits: new Map<o.Pod, Misfit>() }
        : estimate(group, pods, { simulator: this.simulator(), room })
      if (option) options.push(option)
      for (const pod of pods) {
        const reason = skip ?? [...(misfits.get(pod)?.keys() ?? [])].join(', ')
        if (reason) why.set(pod, [...(why.get(pod) ?? []), reason])
      }
    }
    const best = choose(options, expander, this.random)
    if (!best) {
      for (const pod of pods) this.tellRefused(pod, why.get(pod) ?? [])
      return false
    }
    this.grow(best)
    return true
  }

  private grow({ group, nodes, pods }: Option): void {
    const from = group.target
    group.increase(nodes, () => {
      this.note(`no capacity for ${group.name}: in backoff`)
      group.backOff()
    })
    this.lastScaleUp = this.world.clock.now
    const text = `pod triggered scale-up: [{${group.name} ${from}->${group.target} (max: ${group.options.max})}]`
    for (const pod of pods) this.kube.event(pod, 'Normal', 'TriggeredScaleUp', text)
  }

  private tellRefused(pod: o.Pod, reasons: readonly string[]): void {
    const counts = new Map<string, number>()
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    const text = `pod didn't trigger scale-up: ${[...counts].map(([reason, n]) => `${n} ${reason}`).join(', ')}`
    if (this.told.get(pod.metadata.uid) === text) return
    this.told.set(pod.metadata.uid, text)
    this.kube.event(pod, 'Normal', 'NotTriggerScaleUp', text)
  }

  /** Follows core/scaledown/planner and actuator: empty nodes several at a time, others one by one. */
  private scaleDown(): void {
    const { flags } = this
    if (!flags.scaleDownEnabled) return
    this.findUnneeded()
    const { now } = this.world.clock
    if (now - this.lastScaleUp < flags.scaleDownDelayAfterAdd) return
    if (now - this.lastFailure < flags.scaleDownDelayAfterFailure) return
    const due = [...this.unneededSince].filter(([, since]) => now - since >= flags.scaleDownUnneededTime)
    const empty = due.filter(([name]) => residents(this.kube, name).length === 0).slice(0, flags.maxEmptyBulkDelete)
    const chosen = empty.length > 0 ? empty : this.deleting.size === 0 ? due.slice(0, 1) : []
    for (const [name] of chosen) {
      const group = this.groups.find(({ members }) => members.has(name))!
      const going = [...this.deleting].filter((n) => group.members.has(n)).length
      if (group.target - going <= group.options.min) continue
      this.unneededSince.delete(name)
      this.deleting.add(name)
      this.changed = true
      this.world.spawn(`cluster-autoscaler/${name}`, this.remove(group, name))
    }
  }

  /** Nodes little used, whose pods all fit elsewhere. Follows core/scaledown/eligibility and simulator/cluster.go. */
  private findUnneeded(): void {
    const { kube, flags } = this
    const { now } = this.world.clock
    if (!this.changed) return
    this.changed = false
    const candidates: { name: string; pods: o.Pod[] }[] = []
    for (const group of this.groups) {
      if (group.target <= group.options.min) continue
      for (const name of group.members.keys()) {
        const node = kube.get(Node, name)
        if (!node || !this.isReady(node)) continue
        const { share, ofGpus } = utilization(
          node,
          kube.indexed(podsByNode, name).filter((pod) => !isFinished(pod)),
        )
        const limit = ofGpus ? flags.scaleDownGpuUtilizationThreshold : flags.scaleDownUtilizationThreshold
        const pods = residents(kube, name)
        if (share < limit && !keeps(node, pods, { kube, flags })) candidates.push({ name, pods })
      }
    }
    const unneeded = new Set<string>()
    const simulator = candidates.some(({ pods }) => pods.length > 0) ? this.simulator() : undefined
    const receivers = new Set<string>()
    for (const { name, pods } of candidates) {
      if (receivers.has(name)) continue
      const moved: o.Pod[] = []
      const to = new Set<string>()
      const fits = pods.every((pod) => {
        const guest = unbound(pod)
        const placed = simulator!.place(guest, (node) => node !== name && !unneeded.has(node))
        if ('misfit' in placed) return false
        moved.push(guest)
        to.add(placed.node)
        return true
      })
      if (fits) {
        unneeded.add(name)
        for (const node of to) receivers.add(node)
      } else for (const pod of moved) simulator!.takeBack(pod)
    }
    for (const name of [...this.unneededSince.keys()]) if (!unneeded.has(name)) this.unneededSince.delete(name)
    for (const name of unneeded) if (!this.unneededSince.has(name)) this.unneededSince.set(name, now)
  }

  private *remove(group: NodeGroup, name: string): Task {
    const { kube, flags, world } = this
    const writer = { kube, random: this.random }
    const value = String(Math.floor(EPOCH_MS / 1000 + world.clock.now / 1e6))
    const taint: o.Taint = { key: TO_BE_DELETED, value, effect: 'NoSchedule' }
    try {
      yield* addTaints(writer, name, [taint])
      const node = kube.get(Node, name)
      if (node) kube.event(node, 'Normal', 'ScaleDown', 'marked the node as toBeDeleted/unschedulable')
      const gone = yield* evacuate(name, {
        kube,
        clock: world.clock,
        evictFor: flags.maxPodEvictionTime,
        endWithin: seconds(flags.maxGracefulTerminationSeconds + 30),
        gracePeriodSecondsMax: flags.maxGracefulTerminationSeconds,
      })
      if (gone) {
        if (node) kube.event(node, 'Normal', 'ScaleDown', 'node removed by cluster autoscaler')
        group.remove(name)
        yield* deleteNode(kube, name)
      } else {
        this.lastFailure = world.clock.now
        if (node) kube.event(node, 'Warning', 'ScaleDownFailed', 'failed to drain the node, aborting ScaleDown')
        yield* removeTaints(writer, yield* kube.read(Node, name), [taint])
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.lastFailure = world.clock.now
    }
    this.deleting.delete(name)
    this.changed = true
  }

  private note(text: string): void {
    this.world.journal.append({ type: 'note', by: 'cluster-autoscaler', about: 'nodes', text })
  }
}
