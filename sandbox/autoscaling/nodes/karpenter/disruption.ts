import { addTaints, removeTaints } from '../../../controllers/node-lifecycle/taints.ts'
import { ApiError } from '../../../kube/errors.ts'
import { Node, Pod, PodDisruptionBudget } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { condition } from '../../../kube/pods.ts'
import { labelSelector } from '../../../kube/selectors.ts'
import { sleep, type Task } from '../../../world/actor.ts'
import type { RandomStream } from '../../../world/random.ts'
import { minutes, parseDuration, seconds, type Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import { residents } from '../evacuate.ts'
import { unbound } from '../fit.ts'
import { type Claim, type Claims, DISRUPTED } from './claims.ts'
import type { ClusterView } from './cluster-view.ts'
import { type Plan, pack } from './packing.ts'

/** Follows pkg/controllers/disruption/controller.go, consolidation.go and queue.go. */
const POLL = seconds(10)
const VALIDATE_AFTER = seconds(15)
const REPLACE_WITHIN = minutes(10)
const DO_NOT_DISRUPT = 'karpenter.sh/do-not-disrupt'

type Reason = 'Empty' | 'Underutilized'

/** Nodes to remove, and at most one to buy instead. */
interface Command {
  readonly claims: readonly Claim[]
  readonly replacement: Plan | undefined
  readonly reason: Reason
}

export interface DisruptionParts {
  readonly world: World
  readonly kube: Kube
  readonly claims: Claims
  readonly view: ClusterView
  readonly random: RandomStream
}

/** Removes nodes nobody needs, and nodes that others or a cheaper one could stand in for, one command at a time. */
export class Disruption {
  private readonly parts: DisruptionParts
  /** When a pod last came to a node or left it. */
  private readonly podEventAt = new Map<string, Us>()

  constructor(parts: DisruptionParts) {
    this.parts = parts
    const { kube, world } = parts
    const mark = ({ spec }: o.Pod) => {
      if (spec.nodeName) this.podEventAt.set(spec.nodeName, world.clock.now)
    }
    kube.watch(Pod, {
      added: mark,
      updated: (before, after) => {
        if (before.spec.nodeName !== after.spec.nodeName || before.status.phase !== after.status.phase) mark(after)
        else if (before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp) mark(after)
      },
      deleted: mark,
    })
    kube.list(PodDisruptionBudget)
  }

  *run(): Task {
    for (;;) {
      yield* sleep(POLL)
      const command = this.empty() ?? this.several() ?? this.single()
      if (!command) continue
      yield* sleep(VALIDATE_AFTER)
      if (this.stillHolds(command)) yield* this.execute(command)
    }
  }

  private empty(): Command | undefined {
    const claims = this.candidates('Empty').filter(({ name }) => residents(this.parts.kube, name).length === 0)
    return claims.length > 0 ? { claims, replacement: undefined, reason: 'Empty' } : undefined
  }

  /** As many as can go together, the cheapest to disrupt first. Follows multinodeconsolidation.go firstNConsolidationOption. */
  private several(): Command | undefined {
    const claims = this.candidates('Underutilized')
    let [low, high] = [2, Math.min(claims.length, 100)]
    let best: Command | undefined
    while (low <= high) {
      const middle = (low + high) >> 1
      const command = this.consolidate(claims.slice(0, middle))
      if (command) {
        best = command
        low = middle + 1
      } else high = middle - 1
    }
    return best
  }

  private single(): Command | undefined {
    for (const claim of this.candidates('Underutilized')) {
      const command = this.consolidate([claim])
      if (command) return command
    }
    return undefined
  }

  /** What removing these would take; undefined when it cannot be or does not pay. Follows computeConsolidation. */
  private consolidate(claims: readonly Claim[]): Command | undefined {
    const { kube, view } = this.parts
    const leaving = new Set(claims.map(({ name }) => name))
    const pods = claims.flatMap(({ name }) => residents(kube, name)).map(unbound)
    const { plans, failed, placed } = pack(pods, view.simulator(leaving), view.pools())
    const waits = [...placed.values()].some((name) => this.parts.claims.all.get(name)?.state.startsWith('launch'))
    if (failed.length > 0 || plans.length > 1 || waits) return undefined
    const [plan] = plans
    if (!plan) return { claims, replacement: undefined, reason: 'Underutilized' }
    // spot for spot is behind a feature gate that is off
    if (claims.every(({ candidate }) => candidate.capacityType === 'spot')) return undefined
    const price = claims.reduce((sum, { candidate }) => sum + candidate.pricePerHour, 0)
    const candidates = plan.candidates.filter((c) => c.pricePerHour < price)
    if (candidates.length === 0) return undefined
    return { claims, replacement: { ...plan, candidates }, reason: 'Underutilized' }
  }

  /** Nodes that may be disrupted for the reason now, within the budgets of their pools, fewest pods first. */
  private candidates(reason: Reason): Claim[] {
    const { claims, kube, view } = this.parts
    const left = new Map<string, number>()
    const cost = (claim: Claim) => residents(kube, claim.name).length
    const found = [...claims.all.values()].filter((claim) => this.mayGo(claim, reason))
    return found
      .sort((a, b) => cost(a) - cost(b))
      .filter(({ pool }) => {
        const allowed = left.get(pool) ?? this.allowance(view.pool(pool)!, reason)
        left.set(pool, allowed - 1)
        return allowed > 0
      })
  }

  private mayGo(claim: Claim, reason: Reason): boolean {
    const { kube, view, world } = this.parts
    const { disruption } = view.pool(claim.pool)?.spec ?? {}
    const { consolidateAfter = '0s', consolidationPolicy = 'WhenEmptyOrUnderutilized' } = disruption ?? {}
    if (claim.state !== 'initialized' || !view.pool(claim.pool) || consolidateAfter === 'Never') return false
    if (reason === 'Underutilized' && consolidationPolicy === 'WhenEmpty') return false
    const quietSince = Math.max(claim.initializedAt, this.podEventAt.get(claim.name) ?? 0)
    if (world.clock.now - quietSince < parseDuration(consolidateAfter)) return false
    const node = kube.get(Node, claim.name)
    if (!node || node.metadata.annotations?.[DO_NOT_DISRUPT] === 'true') return false
    return residents(kube, claim.name).every((pod) => isDisruptable(pod, kube))
  }

  /** How many more nodes of a pool may go. A budget with a schedule counts always. Follows nodepool.go GetAllowedDisruptionsByReason. */
  private allowance(pool: o.NodePool, reason: Reason): number {
    const { claims, kube } = this.parts
    const own = claims.ofPool(pool.metadata.name)
    const busy = own.filter(({ name, state }) => {
      const node = kube.get(Node, name)
      return state === 'deleting' || (node && condition(node, 'Ready')?.status !== 'True')
    }).length
    let allowed = Number.POSITIVE_INFINITY
    for (const { nodes, reasons } of pool.spec.disruption?.budgets ?? [{ nodes: '10%', reasons: undefined }]) {
      if (reasons && !reasons.includes(reason)) continue
      const share = nodes.endsWith('%') ? Math.ceil((Number(nodes.slice(0, -1)) / 100) * own.length) : Number(nodes)
      allowed = Math.min(allowed, share)
    }
    return Math.max(0, allowed - busy)
  }

  /** Nothing has changed that would forbid it. Follows validation.go. */
  private stillHolds({ claims, reason, replacement }: Command): boolean {
    const now = this.candidates(reason)
    if (!claims.every((claim) => now.includes(claim))) return false
    if (reason === 'Empty') return claims.every(({ name }) => residents(this.parts.kube, name).length === 0)
    const again = this.consolidate(claims)
    return again !== undefined && (again.replacement === undefined) === (replacement === undefined)
  }

  private *execute({ claims, replacement, reason }: Command): Task {
    const { kube, random, world } = this.parts
    const writer = { kube, random }
    try {
      for (const { name } of claims) yield* addTaints(writer, name, [DISRUPTED])
      if (replacement && !(yield* this.replace(replacement))) {
        for (const { name } of claims) yield* removeTaints(writer, yield* kube.read(Node, name), [DISRUPTED])
        return
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return
    }
    for (const { name } of claims) {
      const node = kube.get(Node, name)
      if (node) kube.event(node, 'Normal', 'DisruptionTerminating', `Disrupting Node: ${reason}`)
      world.spawn(`karpenter/disrupt/${name}`, this.parts.claims.delete(name))
    }
  }

  /** Buys the replacement and waits until it is of use. */
  private *replace(plan: Plan): Task<boolean> {
    const { claims, world } = this.parts
    const claim = yield* claims.create(plan)
    const deadline = world.clock.now + REPLACE_WITHIN
    while (claim && claims.all.has(claim.name) && claim.state !== 'deleting') {
      if (claim.state === 'initialized') return true
      if (world.clock.now >= deadline) break
      yield* sleep(seconds(5))
    }
    return false
  }
}

function isDisruptable({ metadata }: o.Pod, kube: Kube): boolean {
  if (metadata.annotations?.[DO_NOT_DISRUPT] === 'true') return false
  return kube
    .list(PodDisruptionBudget, { namespace: metadata.namespace ?? 'default' })
    .every(
      (budget) =>
        !labelSelector(budget.spec.selector).matches(metadata.labels ?? {}) ||
        (budget.status?.disruptionsAllowed ?? 0) > 0,
    )
}
