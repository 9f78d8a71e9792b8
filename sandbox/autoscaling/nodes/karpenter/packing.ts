import type * as o from '../../../kube/objects.ts'
import { factsOf, type PodFacts } from '../../../scheduler/framework/pod-info.ts'
import type { Resource } from '../../../scheduler/framework/resources.ts'
import type { FitSimulator } from '../fit.ts'
import { templateNode } from '../machines.ts'
import { accepts, type Candidate, holds, sumOf } from './candidates.ts'
import { Remaining } from './limits.ts'
import { isFlexible } from './requirements.ts'

/** A node to be bought: the pool, what is left of its candidates, and the pods it is for. */
export interface Plan {
  readonly pool: o.NodePool
  candidates: readonly Candidate[]
  readonly pods: o.Pod[]
}

export interface Packing {
  readonly plans: readonly Plan[]
  /** Pods that fit on nodes there are or that are coming, by the node's name. */
  readonly placed: ReadonlyMap<o.Pod, string>
  /** With why no pool has a node for it. */
  readonly failed: ReadonlyMap<o.Pod, string>
}

export interface PoolChoice {
  readonly pool: o.NodePool
  readonly candidates: readonly Candidate[]
  /** What the pool has already, for its limits. */
  readonly used: { readonly resources: Resource; readonly nodes: number }
}

/**
 * Where pods go: nodes there are first, then nodes already planned, then a new node of the pool with the greatest weight that
 * has a fitting instance. Big pods first; those that fail are tried again as long as others find a place. Preferences (affinity,
 * PreferNoSchedule) do not shape new nodes. Follows pkg/controllers/provisioning/scheduling/scheduler.go.
 */
export function pack(pods: readonly o.Pod[], simulator: FitSimulator, pools: readonly PoolChoice[]): Packing {
  const packer = new Packer(simulator, pools)
  let waiting = bySize(pods)
  for (let before = -1; waiting.length > 0 && waiting.length !== before; ) {
    before = waiting.length
    waiting = waiting.filter((pod) => !packer.add(pod))
  }
  return {
    plans: packer.plans,
    placed: packer.placed,
    failed: new Map(waiting.map((pod) => [pod, packer.whyNot(pod)])),
  }
}

/** Most cpu first, then most memory, then the oldest. Follows scheduling/queue.go byCPUAndMemoryDescending. */
const bySize = (pods: readonly o.Pod[]): o.Pod[] =>
  [...pods].sort((a, b) => {
    const [x, y] = [factsOf(a.spec).requests, factsOf(b.spec).requests]
    return (
      y.milliCpu - x.milliCpu ||
      y.memoryBytes - x.memoryBytes ||
      compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
      compare(a.metadata.uid, b.metadata.uid)
    )
  })

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** A plan with the node that stands for it among those there are: on it the scheduler's own filters are asked. */
interface Planned extends Plan {
  readonly standIn: string
  readonly zone: string
}

class Packer {
  readonly plans: Planned[] = []
  readonly placed = new Map<o.Pod, string>()
  private readonly simulator: FitSimulator
  private readonly pools: readonly PoolChoice[]
  private readonly limits: ReadonlyMap<o.NodePool, Remaining>

  constructor(simulator: FitSimulator, pools: readonly PoolChoice[]) {
    this.simulator = simulator
    this.pools = pools
    this.limits = new Map(pools.map(({ pool, used }) => [pool, new Remaining(pool, used)]))
  }

  add(pod: o.Pod): boolean {
    const found = this.simulator.place(pod, (node) => !node.startsWith(STAND_IN))
    if ('misfit' in found) return this.joins(pod) || this.opens(pod)
    this.placed.set(pod, found.node)
    return true
  }

  /** The planned node with the fewest pods that can take one more. */
  private joins(pod: o.Pod): boolean {
    const facts = factsOf(pod.spec)
    for (const plan of [...this.plans].sort((a, b) => a.pods.length - b.pods.length)) {
      const wants = sumOf([...plan.pods.map((p) => factsOf(p.spec)), facts])
      const there = isBoundToZone(pod) ? plan.candidates.filter(({ zone }) => zone === plan.zone) : plan.candidates
      const left = fitting(there, pod, plan.pool).filter((c) => holds(c.allocatable, wants))
      if (!isChoice(plan.pool, left)) continue
      if ('misfit' in this.simulator.place(pod, (node) => node === plan.standIn)) continue
      plan.candidates = left
      plan.pods.push(pod)
      return true
    }
    return false
  }

  private opens(pod: o.Pod): boolean {
    const wants = sumOf([factsOf(pod.spec)])
    for (const { pool, candidates } of this.pools) {
      const limit = this.limits.get(pool)!
      const left = fitting(candidates, pod, pool).filter((c) => holds(c.allocatable, wants) && limit.admits(c))
      if (!isChoice(pool, left)) continue
      const plan = this.standFor(pool, left, pod)
      if (!plan) continue
      this.plans.push(plan)
      limit.take(plan.candidates)
      return true
    }
    return false
  }

  /** What every pool lacks. Follows addToNewNodeClaim and nodeclaim.go InstanceTypeFilterError. */
  whyNot(pod: o.Pod): string {
    const wants = sumOf([factsOf(pod.spec)])
    const reasons = this.pools.map(({ pool, candidates }) => {
      const limit = this.limits.get(pool)!
      if (candidates.length > 0 && !candidates.some((c) => limit.admits(c)))
        return 'all available instance types exceed limits for nodepool'
      const met = fitting(candidates, pod, pool)
      const large = met.filter((c) => holds(c.allocatable, wants))
      if (met.length === 0) return 'no instance type met all requirements'
      if (large.length === 0) return 'no instance type has enough resources'
      return large.some((c) => limit.admits(c))
        ? 'unsatisfiable topology constraint'
        : 'all available instance types exceed limits for nodepool'
    })
    return reasons.length > 0
      ? [...new Set(reasons)].join('; ')
      : 'nodepool requirements filtered out all available instance types'
  }

  /** A node for the pod: in the cheapest zone where its affinity and spread allow one. */
  private standFor(pool: o.NodePool, candidates: readonly Candidate[], pod: o.Pod): Planned | undefined {
    const standIn = `${STAND_IN}${this.plans.length}`
    for (const zone of new Set(candidates.map((candidate) => candidate.zone))) {
      const within = candidates.filter((candidate) => candidate.zone === zone)
      const node = emptyNode(standIn, within, pool)
      this.simulator.addNode(node)
      if ('node' in this.simulator.place(pod, (name) => name === standIn))
        return { pool, candidates: isBoundToZone(pod) ? within : candidates, pods: [pod], standIn, zone }
      this.simulator.removeNode(node)
    }
    return undefined
  }
}

const STAND_IN = 'karpenter-plan/'
const PLENTY = String(2 ** 52)

/** Whether it has room is asked of the candidates, so it has room for all. */
function emptyNode(name: string, candidates: readonly Candidate[], pool: o.NodePool): o.Node {
  const node = templateNode(name, candidates[0]!.shape)
  const scalars = candidates.flatMap(({ allocatable }) => [...allocatable.scalars.keys()])
  const names = ['cpu', 'memory', 'ephemeral-storage', 'pods', ...scalars]
  const allocatable = Object.fromEntries(names.map((resource) => [resource, PLENTY]))
  const { taints = [] } = pool.spec.template.spec
  return { ...node, spec: { ...node.spec, taints }, status: { ...node.status, allocatable } }
}

const fitting = (candidates: readonly Candidate[], pod: o.Pod, pool: o.NodePool): Candidate[] => {
  const facts: PodFacts = factsOf(pod.spec)
  return candidates.filter((candidate) => accepts(candidate, pod, facts, pool.spec.template.spec.taints))
}

const isChoice = (pool: o.NodePool, candidates: readonly Candidate[]): boolean =>
  candidates.length > 0 && isFlexible(pool.spec.template.spec.requirements, candidates)

const ZONE = 'topology.kubernetes.io/zone'

/** Whether it matters to the pod, beside its node selector, in which zone it is. */
function isBoundToZone({ spec }: o.Pod): boolean {
  const { requiredAffinity, requiredAntiAffinity } = factsOf(spec)
  return (
    [...requiredAffinity, ...requiredAntiAffinity].some(({ topologyKey }) => topologyKey === ZONE) ||
    (spec.topologySpreadConstraints ?? []).some(
      ({ topologyKey, whenUnsatisfiable }) => topologyKey === ZONE && whenUnsatisfiable === 'DoNotSchedule',
    )
  )
}
