import type * as o from '../../../kube/objects.ts'
import type { World } from '../../../world/world.ts'
import { unbound } from '../fit.ts'
import type { PendingPods } from '../pending-pods.ts'
import type { DisruptionReason } from './budgets.ts'
import type { Candidate } from './candidates.ts'
import type { Claim, Claims } from './claims.ts'
import type { ClusterView } from './cluster-view.ts'
import { type Plan, pack } from './packing.ts'
import { isProtected } from './pods.ts'
import { isFlexible } from './requirements.ts'

/** Nodes to remove, and those to buy first. */
export interface Command {
  readonly claims: readonly Claim[]
  readonly replacements: readonly Plan[]
  readonly reason: DisruptionReason
}

export interface SimulationParts {
  readonly world: World
  readonly claims: Claims
  readonly view: ClusterView
  readonly pending: PendingPods
}

/** What would have to be bought if these nodes went; undefined when some pod would find no place. Follows SimulateScheduling. */
export function withoutThem(leaving: readonly Claim[], parts: SimulationParts): readonly Plan[] | undefined {
  const { view, pending, claims, world } = parts
  const { now } = world.clock
  const moved = leaving
    .flatMap(({ name }) => view.reschedulable(name))
    .filter((pod) => !isProtected(pod, now) && view.mayBeEvicted(pod))
    .map(unbound)
  const others = view.leaving(now)
  const waiting = pending.list()
  const names = new Set(leaving.map(({ name }) => name))
  const { plans, failed, placed } = pack([...waiting, ...moved, ...others], view.simulator(names), view.pools())
  if ([...failed.keys()].some((pod) => !waiting.includes(pod))) return undefined
  const onTheirWay = (name: string) => claims.all.get(name)?.state.startsWith('launch')
  if ([...placed].some(([pod, name]) => onTheirWay(name) && !others.includes(pod) && !waiting.includes(pod)))
    return undefined
  return plans
}

/**
 * What removing these would take; undefined when it cannot be or does not pay. Spot for spot is behind a feature gate that is off.
 * Follows pkg/controllers/disruption/consolidation.go computeConsolidation.
 */
export function consolidate(claims: readonly Claim[], parts: SimulationParts): Command | undefined {
  const plans = withoutThem(claims, parts)
  if (!plans || plans.length > 1) return undefined
  const [plan] = plans
  if (!plan) return { claims, replacements: [], reason: 'Underutilized' }
  const spot = plan.candidates.some(({ capacityType }) => capacityType === 'spot')
  if (spot && claims.every(({ candidate }) => candidate.capacityType === 'spot')) return undefined
  const price = claims.reduce((sum, { candidate }) => sum + candidate.pricePerHour, 0)
  const cheaper = below(price, plan)
  // what was reckoned with the price of spot must not become on-demand
  const candidates = spot ? cheaper.filter(({ capacityType }) => capacityType === 'spot') : cheaper
  if (candidates.length === 0) return undefined
  return { claims, replacements: [{ ...plan, candidates }], reason: 'Underutilized' }
}

/** The same, where one node of a kind that is removed would come back only if it is cheaper than that. Follows filterOutSameInstanceType. */
export function consolidateSeveral(claims: readonly Claim[], parts: SimulationParts): Command | undefined {
  const command = consolidate(claims, parts)
  const plan = command?.replacements[0]
  if (!command || !plan) return command
  const types = new Set(plan.candidates.map(({ type }) => type))
  const known = claims.filter(({ candidate }) => types.has(candidate.type))
  if (known.length === 0) return command
  const candidates = below(Math.min(...known.map(({ candidate }) => candidate.pricePerHour)), plan)
  return candidates.length === 0 ? undefined : { ...command, replacements: [{ ...plan, candidates }] }
}

/** Instances that cost less even where the dearest of their offerings is had: spot where there is any. Follows WorstLaunchPrice. */
function below(
  price: number,
  { pool, candidates }: { pool: o.NodePool; candidates: readonly Candidate[] },
): Candidate[] {
  const kept = candidates.filter(({ type }) => {
    const same = candidates.filter((one) => one.type === type)
    const spot = same.filter(({ capacityType }) => capacityType === 'spot')
    return Math.max(...(spot.length > 0 ? spot : same).map((one) => one.pricePerHour)) < price
  })
  return isFlexible(pool.spec.template.spec.requirements, kept) ? kept : []
}
