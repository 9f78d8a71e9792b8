import { parse } from 'yaml'
import { GPU } from '../../../gpus/gpu-plugin.ts'
import { ConfigMap, Node, Pod, PodDisruptionBudget } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { condition, isFinished } from '../../../kube/pods.ts'
import { factsOf } from '../../../scheduler/framework/pod-info.ts'
import { sleep, type Task } from '../../../world/actor.ts'
import { fromRfc3339, seconds, type Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import { daemonPods } from '../daemons.ts'
import { FitSimulator, type Misfit } from '../fit.ts'
import { type MachinePark, type ProvisioningDelays, templateNode, typicalDelays } from '../machines.ts'
import { PendingPods } from '../pending-pods.ts'
import { Actuator } from './actuator.ts'
import { NodeGroup } from './node-group.ts'
import { type ClusterAutoscalerFlags, defaultFlags, type NodeGroupOptions } from './options.ts'
import { Planner } from './planner.ts'
import { addWithDaemons, choose, estimate, type Option, type Priorities } from './scale-up.ts'

export interface ClusterAutoscalerOptions {
  readonly world: World
  /** A client of the process `cluster-autoscaler`. */
  readonly kube: Kube
  readonly park: MachinePark
  readonly groups: readonly NodeGroupOptions[]
  readonly flags?: Partial<ClusterAutoscalerFlags>
  readonly delays?: ProvisioningDelays
}

/** Pods that may soon be more are waited for: those with GPUs longer, as they come in gangs. Follows allPodsAreNew. */
const POD_BUFFER = seconds(2)
const GPU_POD_BUFFER = seconds(30)

/**
 * The Cluster Autoscaler: adds nodes for pods that fit nowhere, removes nodes nobody needs. Follows
 * cluster-autoscaler/core/static_autoscaler.go (1.34); limits on the cluster's cores and memory, and eviction of DaemonSets' pods, are
 * left out; so is balancing of similar groups, which is off by default. Returns its node groups.
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
  private readonly planner: Planner
  private readonly actuator: Actuator
  private readonly random
  private lastScaleUp: Us = Number.NEGATIVE_INFINITY
  private lastFailure: Us = Number.NEGATIVE_INFINITY
  private lastDelete: Us = Number.NEGATIVE_INFINITY
  private readonly told = new Map<string, string>()
  /** Whether the cluster is another than when unneeded nodes were last looked for. */
  private changed = true

  constructor(options: ClusterAutoscalerOptions) {
    const { world, kube, park, delays = typicalDelays } = options
    this.world = world
    this.kube = kube
    this.flags = { ...defaultFlags, ...options.flags }
    this.random = world.random('cluster-autoscaler')
    const { flags, random } = this
    this.groups = options.groups.map((group) => new NodeGroup(group, { world, park, delays, flags, random }))
    this.pending = new PendingPods(kube)
    const changed = () => {
      this.changed = true
    }
    const ended = (failed: boolean) => {
      changed()
      if (failed) this.lastFailure = world.clock.now
    }
    this.actuator = new Actuator({ world, kube, flags, random, groups: this.groups, ended })
    this.planner = new Planner({ kube, flags, groups: this.groups, deleting: this.actuator.deleting })
    const all = { added: changed, updated: changed, deleted: changed }
    kube.watch(Node, all)
    kube.watch(Pod, all)
    kube.watch(PodDisruptionBudget, all)
    daemonPods(kube)
    if (flags.expander === 'priority') kube.list(ConfigMap)
  }

  *run(): Task {
    for (;;) {
      yield* sleep(this.flags.scanInterval)
      this.giveUpLate()
      this.seeReady()
      if (!this.isHealthy()) {
        this.planner.forget()
        continue
      }
      const pods = this.unfit()
      const young = pods.length > 0 && this.areNew(pods)
      if (!young && pods.length > 0 && this.scaleUp(pods)) continue
      yield* this.scaleDown(young)
    }
  }

  /** With too many nodes down nothing is done. Follows clusterstate/clusterstate.go IsClusterHealthy. */
  private isHealthy(): boolean {
    const nodes = this.kube.list(Node)
    const starting = new Set(
      this.groups.flatMap(({ members }) => [...members].flatMap(([n, m]) => (m.wasReady ? [] : [n]))),
    )
    const down = nodes.filter(
      (node) => !starting.has(node.metadata.name) && condition(node, 'Ready')?.status !== 'True',
    )
    const { okTotalUnreadyCount, maxTotalUnreadyPercentage } = this.flags
    return down.length <= okTotalUnreadyCount || down.length <= (maxTotalUnreadyPercentage / 100) * nodes.length
  }

  private areNew(pods: readonly o.Pod[]): boolean {
    const { now } = this.world.clock
    const oldest = (some: readonly o.Pod[]) =>
      Math.min(...some.map((pod) => fromRfc3339(pod.metadata.creationTimestamp)))
    const gpuPods = pods.filter((pod) => (factsOf(pod.spec).requests.scalars.get(GPU) ?? 0) > 0)
    return oldest(pods) + POD_BUFFER > now || (gpuPods.length > 0 && oldest(gpuPods) + GPU_POD_BUFFER > now)
  }

  /** Machines that did not register in time are given back. Follows removeOldUnregisteredNodes. */
  private giveUpLate(): void {
    const { now } = this.world.clock
    for (const group of this.groups)
      for (const [name, order] of [...group.members]) {
        if (this.kube.get(Node, name)) continue
        if (now - order.orderedAt <= this.flags.maxNodeProvisionTime || this.actuator.deleting.has(name)) continue
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
    if (condition(node, 'Ready')?.status !== 'True' || this.actuator.deleting.has(node.metadata.name)) return false
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
    const daemons = this.daemons()
    for (const node of this.upcoming()) addWithDaemons(simulator, node, daemons)
    const { expendablePodsPriorityCutoff } = this.flags
    return this.pending
      .list()
      .filter((pod) => (pod.spec.priority ?? 0) >= expendablePodsPriorityCutoff)
      .filter((pod) => 'misfit' in simulator.place(pod))
  }

  private daemons(): o.Pod[] {
    return daemonPods(this.kube).map(({ pod }) => pod)
  }

  /** Whether any group grew. Follows core/scaleup/orchestrator/orchestrator.go. */
  private scaleUp(pods: readonly o.Pod[]): boolean {
    const total = this.kube.list(Node).length + this.upcoming().length
    const { maxNodesTotal, expander } = this.flags
    const options: Option[] = []
    const why = new Map<o.Pod, string[]>()
    const daemons = this.daemons()
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
        : estimate(group, pods, { simulator: this.simulator(), room, daemons })
      if (option) options.push(option)
      for (const pod of pods) {
        const reason = skip ?? [...(misfits.get(pod)?.keys() ?? [])].join(', ')
        if (reason) why.set(pod, [...(why.get(pod) ?? []), reason])
      }
    }
    const best = choose(options, { expander, random: this.random, priorities: this.priorities() })
    if (!best) {
      for (const pod of pods) this.tellRefused(pod, why.get(pod) ?? [])
      return false
    }
    this.grow(best)
    return true
  }

  /** Undefined where they are not wanted, or cannot be read. Follows expander/priority/priority.go. */
  private priorities(): Priorities | undefined {
    if (this.flags.expander !== 'priority') return undefined
    const map = this.kube.get(ConfigMap, 'kube-system/cluster-autoscaler-priority-expander')
    try {
      const given = parse((map as { data?: Record<string, string> } | undefined)?.data?.['priorities'] ?? '') as Record<
        string,
        string[]
      > | null
      return given
        ? new Map(Object.entries(given).map(([n, names]) => [Number(n), names.map((name) => new RegExp(name))]))
        : undefined
    } catch {
      return undefined
    }
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

  /** `held`: nothing goes in this round, whatever is found. */
  private *scaleDown(held: boolean): Task {
    const { flags, planner, actuator } = this
    if (!flags.scaleDownEnabled) return
    const { now } = this.world.clock
    if (this.changed || planner.recheckAt <= now) planner.update(now)
    this.changed = false
    if (held || this.lastScaleUp + flags.scaleDownDelayAfterAdd > now) return
    if (this.lastFailure + flags.scaleDownDelayAfterFailure > now) return
    if (this.lastDelete + flags.scaleDownDelayAfterDelete > now) return
    if (actuator.start(planner.removable(now))) {
      this.lastDelete = now
      this.changed = true
    } else if (flags.maxBulkSoftTaintCount > 0) yield* actuator.markCandidates(planner.names)
  }

  private note(text: string): void {
    this.world.journal.append({ type: 'note', by: 'cluster-autoscaler', about: 'nodes', text })
  }
}
