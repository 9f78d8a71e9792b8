import type * as o from '../../../kube/objects.ts'
import { factsOf, type PodFacts } from '../../../scheduler/framework/pod-info.ts'
import { addResource, type Resource, resourceOf } from '../../../scheduler/framework/resources.ts'
import type { FitSimulator } from '../fit.ts'
import { accepts, type Candidate, holds, sumOf } from './candidates.ts'

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
  readonly failed: readonly o.Pod[]
}

export interface PoolChoice {
  readonly pool: o.NodePool
  readonly candidates: readonly Candidate[]
  /** Capacity the pool has already, for its limits. */
  readonly used: Resource
}

/**
 * Where pods go: nodes there are first, then nodes already planned, then a new node of the pool with the greatest weight that
 * has a fitting instance. Big pods first. Affinity between pods and topology spread do not shape new nodes.
 * Follows pkg/controllers/provisioning/scheduling/scheduler.go.
 */
export function pack(pods: readonly o.Pod[], simulator: FitSimulator, pools: readonly PoolChoice[]): Packing {
  const plans: Plan[] = []
  const placed = new Map<o.Pod, string>()
  const failed: o.Pod[] = []
  const facts = new Map(pods.map((pod) => [pod, factsOf(pod.spec)]))
  const limits = new Map(pools.map(({ pool, used }) => [pool, remaining(pool, used)]))
  for (const pod of bySize(pods, facts)) {
    const found = simulator.place(pod)
    if ('node' in found) placed.set(pod, found.node)
    else if (!joins(plans, pod, facts) && !opens(plans, pod, { facts, pools, limits })) failed.push(pod)
  }
  return { plans, placed, failed }
}

/** Most cpu first, then most memory, then the oldest. Follows scheduling/queue.go byCPUAndMemoryDescending. */
const bySize = (pods: readonly o.Pod[], facts: ReadonlyMap<o.Pod, PodFacts>): o.Pod[] =>
  [...pods].sort((a, b) => {
    const [x, y] = [facts.get(a)!.requests, facts.get(b)!.requests]
    return y.milliCpu - x.milliCpu || y.memoryBytes - x.memoryBytes
  })

/** The planned node with the fewest pods that can take one more. */
function joins(plans: readonly Plan[], pod: o.Pod, facts: ReadonlyMap<o.Pod, PodFacts>): boolean {
  for (const plan of [...plans].sort((a, b) => a.pods.length - b.pods.length)) {
    const wants = sumOf([...plan.pods, pod].map((p) => facts.get(p) ?? factsOf(p.spec)))
    const left = plan.candidates.filter((c) => fits(c, pod, plan.pool, facts.get(pod)!) && holds(c.allocatable, wants))
    if (left.length === 0) continue
    plan.candidates = left
    plan.pods.push(pod)
    return true
  }
  return false
}

function opens(
  plans: Plan[],
  pod: o.Pod,
  options: {
    facts: ReadonlyMap<o.Pod, PodFacts>
    pools: readonly PoolChoice[]
    limits: ReadonlyMap<o.NodePool, Resource | undefined>
  },
): boolean {
  const own = options.facts.get(pod)!
  const wants = sumOf([own])
  for (const { pool, candidates } of options.pools) {
    const limit = options.limits.get(pool)
    const left = candidates.filter(
      (c) => fits(c, pod, pool, own) && holds(c.allocatable, wants) && (!limit || within(limit, c.capacity)),
    )
    if (left.length === 0) continue
    plans.push({ pool, candidates: left, pods: [pod] })
    if (limit) addResource(limit, largest(left), -1)
    return true
  }
  return false
}

const fits = (candidate: Candidate, pod: o.Pod, pool: o.NodePool, facts: PodFacts): boolean =>
  accepts(candidate, pod, facts, pool.spec.template.spec.taints)

/** Until it is known which one is bought, the largest counts. Follows subtractMax. */
const largest = (candidates: readonly Candidate[]): Resource =>
  candidates.reduce((a, b) => (b.capacity.milliCpu > a.milliCpu ? b.capacity : a), candidates[0]!.capacity)

const LIMITED = new WeakMap<Resource, ReadonlySet<string>>()

/** What the pool's limits leave; undefined without limits. */
function remaining(pool: o.NodePool, used: Resource): Resource | undefined {
  const { limits } = pool.spec
  if (!limits) return undefined
  const left = resourceOf(limits)
  addResource(left, used, -1)
  LIMITED.set(left, new Set(Object.keys(limits)))
  return left
}

function within(limit: Resource, capacity: Resource): boolean {
  const named = LIMITED.get(limit)!
  if (named.has('cpu') && capacity.milliCpu > limit.milliCpu) return false
  if (named.has('memory') && capacity.memoryBytes > limit.memoryBytes) return false
  for (const [name, amount] of capacity.scalars)
    if (named.has(name) && amount > (limit.scalars.get(name) ?? 0)) return false
  return true
}
