import { podsByNode } from '../../../controllers/node-lifecycle/pods-not-ready.ts'
import { controllerOf } from '../../../kube/indexes.ts'
import { Node, Pod } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { condition, isActive, isFinished } from '../../../kube/pods.ts'
import { parseDuration, type Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import { allowedDisruptions, type DisruptionReason } from './budgets.ts'
import type { Claim, Claims } from './claims.ts'
import { type ClusterView, isGoing } from './cluster-view.ts'
import type { Nominations } from './karpenter.ts'
import { DO_NOT_DISRUPT, disruptionCost, isEvictable, isProtected } from './pods.ts'
import { allows } from './requirements.ts'

export interface CandidacyParts {
  readonly world: World
  readonly kube: Kube
  readonly claims: Claims
  readonly view: ClusterView
  readonly nominations: Nominations
}

/** Which nodes may be disrupted now, and how many. Follows pkg/controllers/disruption/{types,helpers}.go. */
export class Candidacy {
  private readonly parts: CandidacyParts
  /** When a pod last came to a node, left it, or began to. Follows pkg/controllers/nodeclaim/podevents/controller.go. */
  private readonly podEventAt = new Map<string, Us>()

  constructor(parts: CandidacyParts) {
    this.parts = parts
    const { kube, world } = parts
    const mark = (pod: o.Pod) => {
      if (pod.spec.nodeName && controllerOf(pod)?.kind !== 'DaemonSet')
        this.podEventAt.set(pod.spec.nodeName, world.clock.now)
    }
    kube.watch(Pod, {
      added: mark,
      updated: (before, after) => {
        const ended = isFinished(before) !== isFinished(after)
        const leaves = before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp
        if (before.spec.nodeName !== after.spec.nodeName || ended || leaves) mark(after)
      },
      deleted: mark,
    })
  }

  /** Those to consolidate, the cheapest to disrupt first. */
  consolidatable(reason: 'Empty' | 'Underutilized'): Claim[] {
    const { view } = this.parts
    return this.all(false).filter((claim) => {
      const { consolidationPolicy = 'WhenEmptyOrUnderutilized' } = view.pool(claim.pool)?.spec.disruption ?? {}
      if (!this.isQuiet(claim)) return false
      const empty = view.reschedulable(claim.name).length === 0
      return reason === 'Empty' ? empty : !empty && consolidationPolicy !== 'WhenEmpty'
    })
  }

  /** Those whose pool says otherwise than when they were made; empty ones first, then the oldest. Follows drift.go. */
  drifted(): Claim[] {
    const { view } = this.parts
    const found = this.all(true).filter((claim) => this.isDrifted(claim))
    const rank = (claim: Claim) => (view.reschedulable(claim.name).length === 0 ? 0 : 1)
    return found.sort((a, b) => rank(a) - rank(b) || a.createdAt - b.createdAt)
  }

  /** How many more nodes of a pool may go for the reason. Follows BuildDisruptionBudgetMapping. */
  allowance(pool: string, reason: DisruptionReason): number {
    const { claims, kube, view, world } = this.parts
    const own = claims.ofPool(pool).filter(({ initializedAt }) => Number.isFinite(initializedAt))
    const busy = own.filter((claim) => {
      const node = kube.get(Node, claim.name)
      return isGoing(claim) || (node && condition(node, 'Ready')?.status !== 'True')
    }).length
    return Math.max(0, allowedDisruptions(view.pool(pool)!, own.length, reason, world.clock.now) - busy)
  }

  /** As many of the claims as the budgets allow, in their order. */
  within(claims: readonly Claim[], reason: DisruptionReason): Claim[] {
    const left = new Map<string, number>()
    return claims.filter(({ pool }) => {
      const allowed = left.get(pool) ?? this.allowance(pool, reason)
      if (allowed > 0) left.set(pool, allowed - 1)
      return allowed > 0
    })
  }

  private all(eventual: boolean): Claim[] {
    const { claims, kube, world } = this.parts
    const { now } = world.clock
    const cost = (claim: Claim) =>
      disruptionCost(kube.indexed(podsByNode, claim.name).filter(isActive), now - claim.createdAt, claim.expireAfter)
    return [...claims.all.values()]
      .filter((claim) => this.isDisruptable(claim, eventual))
      .map((claim) => ({ claim, cost: cost(claim) }))
      .sort((a, b) => a.cost - b.cost)
      .map(({ claim }) => claim)
  }

  /** `eventual`: what blocks evictions counts only where no termination grace period ends it. */
  private isDisruptable(claim: Claim, eventual: boolean): boolean {
    const { kube, view, world, nominations } = this.parts
    const { now } = world.clock
    const pool = view.pool(claim.pool)
    if (claim.state !== 'initialized' || isGoing(claim) || !pool || nominations.has(claim.name, now)) return false
    const node = kube.get(Node, claim.name)
    if (!node || node.metadata.annotations?.[DO_NOT_DISRUPT] === 'true') return false
    if (eventual && claim.template.spec.terminationGracePeriod !== undefined) return true
    const pods = kube.indexed(podsByNode, claim.name)
    return (
      !pods.some((pod) => isActive(pod) && isProtected(pod, now)) &&
      pods.every((pod) => !isEvictable(pod, now) || view.mayBeEvicted(pod))
    )
  }

  /** Follows pkg/controllers/nodeclaim/disruption/consolidation.go. */
  private isQuiet(claim: Claim): boolean {
    const { view, world } = this.parts
    const { consolidateAfter = '0s' } = view.pool(claim.pool)?.spec.disruption ?? {}
    if (consolidateAfter === 'Never') return false
    const since = this.podEventAt.get(claim.name) ?? claim.initializedAt
    return world.clock.now - since >= parseDuration(consolidateAfter)
  }

  /** Follows pkg/controllers/nodeclaim/disruption/drift.go; what a cloud's own drift is (images, subnets) nobody here knows. */
  private isDrifted(claim: Claim): boolean {
    const now = this.parts.view.pool(claim.pool)?.spec.template
    if (!now || now === claim.template) return false
    if (fixedPart(now) !== fixedPart(claim.template)) return true
    return !now.spec.requirements.every((requirement) => allows(requirement, claim.candidate.labels))
  }
}

/** What of a template makes nodes drift by any change: all but the requirements. */
function fixedPart({ metadata, spec }: o.NodePool['spec']['template']): string {
  const { requirements: _, ...rest } = spec
  return JSON.stringify([metadata ?? {}, Object.entries(rest).sort()])
}
