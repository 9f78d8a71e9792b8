import { addTaints, removeTaints } from '../../../controllers/node-lifecycle/taints.ts'
import { ApiError } from '../../../kube/errors.ts'
import { Node, NodePool, Pod } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import { sleep, type Task } from '../../../world/actor.ts'
import type { RandomStream } from '../../../world/random.ts'
import { minutes, seconds, type Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import type { PendingPods } from '../pending-pods.ts'
import { Candidacy } from './candidacy.ts'
import type { Claim, Claims } from './claims.ts'
import type { ClusterView } from './cluster-view.ts'
import { type Command, consolidate, consolidateSeveral, withoutThem } from './consolidation.ts'
import type { Nominations } from './karpenter.ts'
import { DISRUPTED } from './pods.ts'

/** Follows pkg/controllers/disruption/controller.go, consolidation.go, queue.go. */
const POLL = seconds(10)
const VALIDATE_AFTER = seconds(15)
const REPLACE_WITHIN = minutes(10)
/** A cluster in which nothing happened is looked at again after this. Follows pkg/controllers/state/cluster.go ConsolidationState. */
const LOOK_ANYHOW_AFTER = minutes(5)
const AT_ONCE = 100

export interface DisruptionParts {
  readonly world: World
  readonly kube: Kube
  readonly claims: Claims
  readonly view: ClusterView
  readonly random: RandomStream
  readonly pending: PendingPods
  readonly nominations: Nominations
}

/** Removes nodes nobody needs, those that drifted, and those that others or a cheaper one could stand in for. */
export class Disruption {
  private readonly parts: DisruptionParts
  private readonly candidacy: Candidacy
  /** Whether the cluster is another than when nothing was found to consolidate. */
  private changed = true
  private lookedAt: Us = 0
  private lookedAtNames = ''

  constructor(parts: DisruptionParts) {
    this.parts = parts
    this.candidacy = new Candidacy(parts)
    const changed = () => {
      this.changed = true
    }
    const { kube } = parts
    kube.watch(Pod, {
      added: changed,
      updated: (before, after) => {
        const leaves = before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp
        if (leaves || before.spec.nodeName !== after.spec.nodeName) changed()
      },
      deleted: changed,
    })
    kube.watch(Node, {
      added: changed,
      updated: (before, after) => before.spec !== after.spec && changed(),
      deleted: changed,
    })
    kube.watch(NodePool, { added: changed, updated: changed, deleted: changed })
  }

  *run(): Task {
    for (;;) {
      if (!(yield* this.disruptOnce())) yield* sleep(POLL)
    }
  }

  /** One method acts at a time, in this order. */
  private *disruptOnce(): Task<boolean> {
    const looks = this.isWorthALook()
    const methods = [
      () => (looks ? this.empty() : undefined),
      () => this.drifted(),
      () => (looks ? this.several() : undefined),
      () => (looks ? this.single() : undefined),
    ]
    for (const method of methods) {
      let command = method()
      if (command && command.reason !== 'Drifted') {
        yield* sleep(VALIDATE_AFTER)
        command = this.validated(command)
      }
      if (!command) continue
      yield* this.start(command)
      return true
    }
    return false
  }

  /** Budgets that are spent come back without anything happening, so they keep it worth one. */
  private isWorthALook(): boolean {
    const { now } = this.parts.world.clock
    const found = (['Empty', 'Underutilized'] as const).map((reason) => this.candidacy.consolidatable(reason))
    const names = found.map((claims) => claims.map(({ name }) => name).join()).join('/')
    const idle = found.every((claims) => claims.length === 0)
    const same = !this.changed && names === this.lookedAtNames && now - this.lookedAt < LOOK_ANYHOW_AFTER
    if (idle || same) return false
    const [empty, used] = found as [Claim[], Claim[]]
    const held =
      this.candidacy.within(empty, 'Empty').length < empty.length ||
      this.candidacy.within(used, 'Underutilized').length < used.length
    this.changed = held
    this.lookedAt = now
    this.lookedAtNames = names
    return true
  }

  private empty(): Command | undefined {
    const claims = this.candidacy.within(this.candidacy.consolidatable('Empty'), 'Empty')
    return claims.length > 0 ? { claims, replacements: [], reason: 'Empty' } : undefined
  }

  /** One by one, with as many new nodes as it takes. Follows drift.go. */
  private drifted(): Command | undefined {
    for (const claim of this.candidacy.drifted()) {
      if (this.candidacy.allowance(claim.pool, 'Drifted') === 0) continue
      const replacements = withoutThem([claim], this.parts)
      if (replacements) return { claims: [claim], replacements, reason: 'Drifted' }
    }
    return undefined
  }

  /** As many as can go together, the cheapest to disrupt first. Follows multinodeconsolidation.go firstNConsolidationOption. */
  private several(): Command | undefined {
    const claims = this.candidacy.within(this.candidacy.consolidatable('Underutilized'), 'Underutilized')
    let [low, high] = [2, Math.min(claims.length, AT_ONCE + 1)]
    let best: Command | undefined
    while (low <= high) {
      const middle = (low + high) >> 1
      const command = consolidateSeveral(claims.slice(0, middle), this.parts)
      if (command) {
        best = command
        low = middle + 1
      } else high = middle - 1
    }
    return best
  }

  /** Pools take turns. Follows singlenodeconsolidation.go. */
  private single(): Command | undefined {
    const byPool = new Map<string, Claim[]>()
    for (const claim of this.candidacy.consolidatable('Underutilized'))
      byPool.set(claim.pool, [...(byPool.get(claim.pool) ?? []), claim])
    const pools = [...byPool.keys()].sort()
    for (let i = 0; pools.some((pool) => i < byPool.get(pool)!.length); i++)
      for (const pool of pools) {
        const claim = byPool.get(pool)![i]
        if (!claim || this.candidacy.allowance(pool, 'Underutilized') === 0) continue
        const command = consolidate([claim], this.parts)
        if (command) return command
      }
    return undefined
  }

  /** What of it still holds: of empty nodes those that still are, of others all or nothing. Follows validation.go. */
  private validated(command: Command): Command | undefined {
    const { claims, reason, replacements } = command
    if (reason === 'Drifted') return command
    const now = this.candidacy.consolidatable(reason)
    const still = this.candidacy.within(
      claims.filter((claim) => now.includes(claim)),
      reason,
    )
    if (reason === 'Empty') return still.length > 0 ? { ...command, claims: still } : undefined
    if (still.length < claims.length) return undefined
    const plans = withoutThem(claims, this.parts)
    if (!plans || plans.length !== replacements.length) return undefined
    const [before, after] = [replacements[0], plans[0]]
    if (!before || !after) return command
    const types = new Set(after.candidates.map(({ type }) => type))
    return before.candidates.every(({ type }) => types.has(type)) ? command : undefined
  }

  /** Taints the nodes, buys the replacements and goes on; the nodes go when these are there. Follows queue.go StartCommand. */
  private *start({ claims, replacements, reason }: Command): Task {
    const { kube, random, world } = this.parts
    this.changed = true
    const bought: Claim[] = []
    try {
      for (const { name } of claims) yield* addTaints({ kube, random }, name, [DISRUPTED])
      for (const plan of replacements) {
        const claim = yield* this.parts.claims.create(plan)
        if (!claim) return yield* this.abandon(claims)
        bought.push(claim)
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return yield* this.abandon(claims)
    }
    for (const claim of claims) claim.disruptedFor = reason
    world.spawn(`karpenter/disrupt/${claims[0]!.name}`, this.finish({ claims, replacements, reason }, bought))
  }

  private *finish({ claims, reason }: Command, bought: readonly Claim[]): Task {
    const { kube, world } = this.parts
    const deadline = world.clock.now + REPLACE_WITHIN
    const isGone = ({ name, state }: Claim) => !this.parts.claims.all.has(name) || state === 'deleting'
    while (bought.some(({ state }) => state !== 'initialized')) {
      if (world.clock.now >= deadline || bought.some(isGone)) return yield* this.abandon(claims)
      yield* sleep(seconds(1))
    }
    for (const { name } of claims) {
      const node = kube.get(Node, name)
      if (node) kube.event(node, 'Normal', 'DisruptionTerminating', `Disrupting Node: ${reason}`)
      world.spawn(`karpenter/disrupt/${name}`, this.parts.claims.delete(name))
    }
  }

  private *abandon(claims: readonly Claim[]): Task {
    const { kube, random } = this.parts
    for (const claim of claims) {
      claim.disruptedFor = undefined
      try {
        yield* removeTaints({ kube, random }, yield* kube.read(Node, claim.name), [DISRUPTED])
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
      }
    }
  }
}
