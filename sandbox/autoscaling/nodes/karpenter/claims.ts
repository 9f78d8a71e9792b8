import { addTaints, removeTaints } from '../../../controllers/node-lifecycle/taints.ts'
import { ApiError } from '../../../kube/errors.ts'
import { NodeClaim, Node as NodeKind } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { condition } from '../../../kube/pods.ts'
import { sleep, type Task } from '../../../world/actor.ts'
import type { RandomStream } from '../../../world/random.ts'
import { minutes, parseDuration, seconds, toRfc3339, type Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import { deleteNode } from '../evacuate.ts'
import { type MachinePark, type ProvisioningDelays, templateNode } from '../machines.ts'
import type { DisruptionReason } from './budgets.ts'
import type { Candidate } from './candidates.ts'
import { drainNode } from './drain.ts'
import type { Plan } from './packing.ts'
import { DISRUPTED } from './pods.ts'

const FINALIZER = 'karpenter.sh/termination'
/** How long an offering without capacity is not asked for again. Follows the AWS provider's UnavailableOfferingsTTL. */
const UNAVAILABLE_FOR = minutes(3)
/** Follows pkg/controllers/nodeclaim/lifecycle/liveness.go. */
const REGISTRATION_TIMEOUT = minutes(15)

/** How long until a claim whose machine was taken away is noticed. Follows pkg/controllers/nodeclaim/garbagecollection/controller.go. */
const COLLECT_EVERY = minutes(2)

/** A NodeClaim and its machine. */
export interface Claim {
  readonly name: string
  readonly pool: string
  readonly createdAt: Us
  /** Infinity: never. */
  readonly expireAfter: Us
  /** The pool's template it was made from. */
  readonly template: o.NodePool['spec']['template']
  /** Set while a command is about to remove it, or removes it. */
  disruptedFor: DisruptionReason | undefined
  /** Until it is bought: the cheapest that could be. */
  candidate: Candidate
  state: 'launching' | 'launched' | 'initialized' | 'deleting'
  initializedAt: Us
}

export interface ClaimsParts {
  readonly world: World
  readonly kube: Kube
  readonly park: MachinePark
  readonly delays: ProvisioningDelays
  readonly random: RandomStream
  /** Called when a node begins to go: its pods need a place. */
  readonly deleting?: () => void
}

/** From plan to machine and back: follows pkg/controllers/nodeclaim/lifecycle and node/termination. Node and claim share a name. */
export class Claims {
  readonly all = new Map<string, Claim>()
  private readonly parts: ClaimsParts
  private readonly unavailableUntil = new Map<string, Us>()

  constructor(parts: ClaimsParts) {
    this.parts = parts
    const deleted = (claim: o.NodeClaim) => {
      const known = this.all.get(claim.metadata.name)
      if (!claim.metadata.deletionTimestamp || !known || known.state === 'deleting') return
      known.state = 'deleting'
      parts.deleting?.()
      parts.world.spawn(`karpenter/terminate/${known.name}`, this.terminate(known, claim))
    }
    parts.kube.watch(NodeClaim, { added: deleted, updated: (_, claim) => deleted(claim) })
    parts.kube.watch(NodeKind, { deleted: ({ metadata }) => this.collect(metadata.name) })
  }

  isAvailable(candidate: Candidate): boolean {
    return (this.unavailableUntil.get(candidate.key) ?? 0) <= this.parts.world.clock.now
  }

  ofPool(pool: string): Claim[] {
    return [...this.all.values()].filter((claim) => claim.pool === pool)
  }

  /** The node a claim will be, for simulations: what DaemonSets will take of it is taken until it is there. */
  template({ name, candidate }: Claim): o.Node {
    const node = templateNode(name, candidate.shape)
    if (this.parts.kube.get(NodeKind, name)) return node
    const { milliCpu, memoryBytes, pods } = candidate.allocatable
    const left = { cpu: `${Math.max(0, milliCpu)}m`, memory: String(Math.max(0, memoryBytes)), pods: String(pods) }
    return { ...node, status: { ...node.status, allocatable: { ...node.status.allocatable, ...left } } }
  }

  /** Creates the NodeClaim of a plan; its machine follows. Undefined when the server refuses. */
  *create({ pool, candidates }: Plan): Task<Claim | undefined> {
    const { kube, random, world } = this.parts
    const { spec, metadata } = pool.spec.template
    const name = `${pool.metadata.name}-${random.suffix(5)}`
    const claim: Claim = {
      name,
      pool: pool.metadata.name,
      createdAt: world.clock.now,
      expireAfter: spec.expireAfter === 'Never' ? Number.POSITIVE_INFINITY : parseDuration(spec.expireAfter ?? '720h'),
      template: pool.spec.template,
      disruptedFor: undefined,
      candidate: candidates[0]!,
      state: 'launching',
      initializedAt: Number.POSITIVE_INFINITY,
    }
    this.all.set(name, claim)
    const labels = { ...metadata?.labels, 'karpenter.sh/nodepool': pool.metadata.name }
    const draft = {
      apiVersion: NodeClaim.apiVersion,
      kind: 'NodeClaim' as const,
      metadata: { name, labels, finalizers: [FINALIZER] },
      spec,
    }
    try {
      const made = yield* kube.create(NodeClaim, draft)
      world.spawn(`karpenter/nodeclaim/${name}`, this.live(claim, made, candidates))
      return claim
    } catch (error) {
      this.all.delete(name)
      if (!(error instanceof ApiError)) throw error
      return undefined
    }
  }

  /** The cloud takes the machine back: such ones are left alone for a while, and the claim is deleted. Follows pkg/controllers/interruption of karpenter-provider-aws. */
  interrupt(name: string, after: Us): boolean {
    const claim = this.all.get(name)
    if (!claim) return false
    const { clock } = this.parts.world
    clock.after(after, () => {
      this.unavailableUntil.set(claim.candidate.key, clock.now + UNAVAILABLE_FOR)
      this.parts.world.spawn(`karpenter/interruption/${name}`, this.delete(name))
    })
    return true
  }

  /** Asks for the claim's end: drain, then the machine. */
  *delete(name: string): Task {
    try {
      yield* this.parts.kube.delete(NodeClaim, name)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  private *live(claim: Claim, object: o.NodeClaim, candidates: readonly Candidate[]): Task {
    const { kube, park, delays, world } = this.parts
    const { name } = claim
    const bought = this.buy(candidates)
    if (!bought) {
      yield* sleep(delays.refusal)
      const why =
        'creating nodeclaim, insufficient capacity, all requested instance types were unavailable during launch'
      kube.event(object, 'Warning', 'InsufficientCapacityError', `NodeClaim ${name} event: ${why}`)
      return yield* this.delete(name)
    }
    claim.candidate = bought
    if (claim.state === 'deleting') return
    claim.state = 'launched'
    yield* this.say(name, 'Launched')
    yield* sleep(Math.min(delays.register, REGISTRATION_TIMEOUT))
    if (this.isGone(claim)) return
    if (delays.register >= REGISTRATION_TIMEOUT) return yield* this.delete(name)
    park.addNode(name, bought.shape, bought.shape.gpu ? delays.devicePlugin : 0)
    while (!kube.get(NodeKind, name) && !this.isGone(claim)) yield* sleep(seconds(1))
    yield* this.say(name, 'Registered')
    while (!this.isGone(claim) && !this.isComplete(claim)) yield* sleep(seconds(5))
    if (this.isGone(claim)) return
    yield* this.initialize(claim, object)
    if (claim.expireAfter === Number.POSITIVE_INFINITY) return
    yield* sleep(Math.max(0, claim.createdAt + claim.expireAfter - world.clock.now))
    if (!this.isGone(claim)) yield* this.delete(name)
  }

  private isGone(claim: Claim): boolean {
    return claim.state === 'deleting' || !this.all.has(claim.name)
  }

  /** Follows initialization.go: ready, with all resources; agents are taken to remove their startup taints by then. */
  private isComplete({ name, candidate }: Claim): boolean {
    const node = this.parts.kube.get(NodeKind, name)
    if (!node || condition(node, 'Ready')?.status !== 'True') return false
    return [...candidate.allocatable.scalars].every(
      ([resource, amount]) => amount === 0 || Number(node.status.allocatable[resource] ?? 0) > 0,
    )
  }

  private *initialize(claim: Claim, { spec }: o.NodeClaim): Task {
    const { kube, random, world } = this.parts
    const { name } = claim
    try {
      const node = yield* kube.read(NodeKind, name)
      yield* removeTaints({ kube, random }, node, spec.startupTaints ?? [])
      const labels = { 'karpenter.sh/registered': 'true', 'karpenter.sh/initialized': 'true' }
      yield* kube.patch(NodeKind, name, { metadata: { labels } })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
    yield* this.say(name, 'Initialized')
    if (claim.state === 'deleting') return
    claim.state = 'initialized'
    claim.initializedAt = world.clock.now
  }

  /**
   * The cheapest that is to be had: spot where any may be, and then nothing else in one order. What is not to be had is not asked for again
   * for a while. Follows karpenter-provider-aws pkg/providers/instance/instance.go getCapacityType.
   */
  private buy(candidates: readonly Candidate[]): Candidate | undefined {
    const { park, world } = this.parts
    const offered = candidates.filter((candidate) => this.isAvailable(candidate))
    const capacityType = offered.some((one) => one.capacityType === 'spot') ? 'spot' : 'on-demand'
    for (const candidate of offered) {
      if (candidate.capacityType !== capacityType) continue
      if (park.hasCapacity?.(candidate.shape) ?? true) return candidate
      this.unavailableUntil.set(candidate.key, world.clock.now + UNAVAILABLE_FOR)
    }
    return undefined
  }

  private *terminate({ name, disruptedFor }: Claim, object: o.NodeClaim): Task {
    const { kube, park, random, world } = this.parts
    const { terminationGracePeriod: limit } = object.spec
    try {
      if (kube.get(NodeKind, name)) {
        yield* addTaints({ kube, random }, name, [DISRUPTED])
        const deadline = limit ? world.clock.now + parseDuration(limit) : Number.POSITIVE_INFINITY
        const reason = disruptedFor ?? 'Forceful Termination'
        yield* drainNode(name, { kube, clock: world.clock, deadline, reason })
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
    park.removeNode(name)
    yield* deleteNode(kube, name)
    this.all.delete(name)
    try {
      yield* kube.patch(NodeClaim, name, { metadata: { finalizers: null } })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  /** Somebody else took the machine and its Node away. */
  private collect(name: string): void {
    const claim = this.all.get(name)
    if (!claim || claim.state === 'launching' || claim.state === 'deleting') return
    const { world } = this.parts
    const wait = COLLECT_EVERY - (world.clock.now % COLLECT_EVERY)
    world.clock.after(wait, () => world.spawn(`karpenter/collect/${name}`, this.delete(name)))
  }

  private *say(name: string, type: 'Launched' | 'Registered' | 'Initialized'): Task {
    const { kube, world } = this.parts
    try {
      const claim = yield* kube.read(NodeClaim, name)
      const made = { type, status: 'True', reason: type, lastTransitionTime: toRfc3339(world.clock.now) }
      const conditions = [...(claim.status?.conditions ?? []).filter((c) => c.type !== type), made]
      yield* kube.patch(NodeClaim, name, { status: { conditions, nodeName: name } }, { subresource: 'status' })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }
}
