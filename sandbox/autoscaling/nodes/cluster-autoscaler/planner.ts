import { podsByNode } from '../../../controllers/node-lifecycle/pods-not-ready.ts'
import { Node, Pod } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { condition, isFinished } from '../../../kube/pods.ts'
import type { Us } from '../../../world/time.ts'
import { isStuck, residents } from '../evacuate.ts'
import { FitSimulator, unbound } from '../fit.ts'
import type { NodeGroup } from './node-group.ts'
import type { ClusterAutoscalerFlags } from './options.ts'
import { blocking, isKept, utilization } from './scale-down.ts'

export interface PlannerParts {
  readonly kube: Kube
  readonly flags: ClusterAutoscalerFlags
  readonly groups: readonly NodeGroup[]
  readonly deleting: ReadonlySet<string>
}

/** Nodes that could go now: those with nothing on them, and those with pods to move. */
export interface Removable {
  readonly empty: readonly string[]
  readonly drain: readonly string[]
}

/** Which nodes nobody needs, and since when. Follows core/scaledown/planner/planner.go and core/scaledown/unneeded/nodes.go. */
export class Planner {
  private readonly parts: PlannerParts
  /** By name: since when, and whether it holds nothing. */
  private unneeded = new Map<string, { readonly since: Us; readonly empty: boolean }>()
  /** Nodes that could not be emptied are not looked at again until then. */
  private readonly unremovableUntil = new Map<string, Us>()

  constructor(parts: PlannerParts) {
    this.parts = parts
  }

  get names(): ReadonlySet<string> {
    return new Set(this.unneeded.keys())
  }

  /** When a node that is passed over is looked at again; infinity: there is none. */
  get recheckAt(): Us {
    return Math.min(Number.POSITIVE_INFINITY, ...this.unremovableUntil.values())
  }

  forget(): void {
    this.unneeded.clear()
  }

  update(now: Us): void {
    const { flags, deleting } = this.parts
    for (const [name, until] of [...this.unremovableUntil]) if (until <= now) this.unremovableUntil.delete(name)
    const moves = new Moves(this.parts, now)
    const found = new Map<string, { readonly since: Us; readonly empty: boolean }>()
    for (const name of this.candidates(now)) {
      const pods = moves.podsOf(name)
      if (blocking(pods, this.parts) === undefined && moves.tryToEmpty(name, pods)) {
        const empty = pods.length === 0
        found.set(name, { since: this.unneeded.get(name)?.since ?? now, empty })
      } else if (!deleting.has(name)) this.unremovableUntil.set(name, now + flags.unremovableNodeRecheckTimeout)
    }
    this.unneeded = found
  }

  /** What has been unneeded for long enough, down to the groups' minimum. */
  removable(now: Us): Removable {
    const { kube, flags, groups, deleting } = this.parts
    const sizes = new Map(
      groups.map((group) => [group, group.target - [...deleting].filter((n) => group.members.has(n)).length]),
    )
    const chosen = { empty: [] as string[], drain: [] as string[] }
    const order = [...this.unneeded].sort(([, a], [, b]) => Number(b.empty) - Number(a.empty))
    for (const [name, { since, empty }] of order) {
      const node = kube.get(Node, name)
      const group = groups.find(({ members }) => members.has(name))
      if (!node || !group || isKept(node)) continue
      const least = isUp(node) ? flags.scaleDownUnneededTime : flags.scaleDownUnreadyTime
      if (now - since <= least || sizes.get(group)! <= group.options.min) continue
      sizes.set(group, sizes.get(group)! - 1)
      chosen[empty ? 'empty' : 'drain'].push(name)
    }
    return chosen
  }

  /** Nodes little used that nothing keeps, empty ones and those found before first. Follows core/scaledown/eligibility/eligibility.go. */
  private candidates(now: Us): string[] {
    const { kube, flags, groups, deleting } = this.parts
    const found: { name: string; rank: number }[] = []
    for (const { members } of groups)
      for (const [name, { wasReady }] of members) {
        const node = kube.get(Node, name)
        if (!node || !wasReady || deleting.has(name) || isKept(node) || this.unremovableUntil.has(name)) continue
        if (!flags.scaleDownUnreadyEnabled && !isUp(node)) continue
        const pods = kube.indexed(podsByNode, name).filter((pod) => !isFinished(pod) && !isStuck(pod, now))
        const { share, ofGpus } = utilization(node, pods, flags)
        if (share >= (ofGpus ? flags.scaleDownGpuUtilizationThreshold : flags.scaleDownUtilizationThreshold)) continue
        const empty = residents(kube, name, now).length === 0
        found.push({ name, rank: (empty ? 0 : 2) + (this.unneeded.has(name) ? 0 : 1) })
      }
    return found.sort((a, b) => a.rank - b.rank).map(({ name }) => name)
  }
}

const isUp = (node: o.Node): boolean => condition(node, 'Ready')?.status === 'True'

/** A cluster in which pods move to where the removal of nodes would send them. Follows simulator/cluster.go. */
class Moves {
  private readonly parts: PlannerParts
  private readonly now: Us
  private simulator: FitSimulator | undefined
  private readonly removed = new Set<string>()
  /** Pods that came to a node in this simulation. */
  private readonly guests = new Map<string, o.Pod[]>()

  constructor(parts: PlannerParts, now: Us) {
    this.parts = parts
    this.now = now
  }

  podsOf(node: string): readonly o.Pod[] {
    const own = residents(this.parts.kube, node, this.now)
    return [...own, ...(this.guests.get(node) ?? [])]
  }

  /** Whether all pods find a place elsewhere; then they are there from now on. */
  tryToEmpty(node: string, pods: readonly o.Pod[]): boolean {
    const placed: { pod: o.Pod; to: string }[] = []
    for (const pod of pods) {
      const guest = unbound(pod)
      const found = this.cluster().place(guest, (name) => name !== node && !this.removed.has(name))
      if ('misfit' in found) {
        for (const one of placed) this.cluster().takeBack(one.pod)
        return false
      }
      placed.push({ pod: guest, to: found.node })
    }
    this.removed.add(node)
    for (const { pod, to } of placed) this.guests.set(to, [...(this.guests.get(to) ?? []), pod])
    return true
  }

  /** With the pods of nodes that are being drained where they will go. Follows injectOngoingActuation. */
  private cluster(): FitSimulator {
    if (this.simulator) return this.simulator
    const { kube, groups, deleting } = this.parts
    const starting = new Set(
      groups.flatMap(({ members }) => [...members].flatMap(([n, { wasReady }]) => (wasReady ? [] : [n]))),
    )
    const nodes = kube.list(Node).filter(({ metadata }) => !deleting.has(metadata.name) && !starting.has(metadata.name))
    const pods = kube.list(Pod).filter((pod) => !isFinished(pod))
    this.simulator = new FitSimulator({ kube, nodes, pods })
    for (const name of deleting) for (const pod of residents(kube, name, this.now)) this.simulator.place(unbound(pod))
    return this.simulator
  }
}
