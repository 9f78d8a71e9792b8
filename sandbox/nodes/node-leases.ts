import { type LagProfile, sample } from '../kube/lag.ts'
import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { leasePeriod } from './timings.ts'

interface Renewal {
  readonly sentAt: Us
  /** When the lifecycle controller's informer has it. */
  readonly seenAt: Us
  /** When the kubelet has its answer. */
  readonly doneAt: Us
}

interface Renewals {
  readonly random: RandomStream
  seenAt: Us
  next: Renewal
  stoppedAt: Us | undefined
}

/**
 * The renewals of all nodes' leases, worked out when somebody asks instead of written one by one: a healthy node costs nothing.
 * Each comes when it would have come as a write, with delays drawn from the same profile, so that a node lifecycle controller
 * decides as it would on Lease objects. The Lease objects themselves keep their first renewal.
 */
export class NodeLeases {
  private readonly world: World
  private readonly profile: LagProfile
  private readonly nodes = new Map<string, Renewals>()
  private readonly changed: ((node: string) => void)[] = []

  constructor(options: { world: World; profile: LagProfile }) {
    this.world = options.world
    this.profile = options.profile
  }

  /** The kubelet has written its lease and renews it from now on. `random`: its stream of jitter. */
  start(node: string, random: RandomStream): void {
    const { now } = this.world.clock
    const renewals = {
      random,
      seenAt: now,
      next: this.renewal(random, now + leasePeriod(random)),
      stoppedAt: undefined,
    }
    this.nodes.set(node, renewals)
    this.tell(node)
  }

  /** The node cannot renew any more. */
  stop(node: string): void {
    const renewals = this.nodes.get(node)
    if (!renewals || renewals.stoppedAt !== undefined) return
    this.advance(renewals, this.world.clock.now)
    renewals.stoppedAt = this.world.clock.now
    this.tell(node)
  }

  /** The same kubelet can renew again: at once when a renewal is overdue. */
  resume(node: string): void {
    const renewals = this.nodes.get(node)
    if (renewals?.stoppedAt === undefined) return
    const { now } = this.world.clock
    this.advance(renewals, now)
    renewals.stoppedAt = undefined
    if (renewals.next.sentAt < now) renewals.next = this.renewal(renewals.random, now)
    this.tell(node)
  }

  seenAt(node: string, at: Us): Us | undefined {
    const renewals = this.nodes.get(node)
    if (!renewals) return undefined
    this.advance(renewals, at)
    return renewals.seenAt
  }

  steady(node: string): boolean {
    const renewals = this.nodes.get(node)
    return renewals !== undefined && renewals.stoppedAt === undefined
  }

  watch(changed: (node: string) => void): void {
    this.changed.push(changed)
  }

  private advance(renewals: Renewals, at: Us): void {
    while (renewals.next.seenAt <= at && renewals.next.sentAt < (renewals.stoppedAt ?? Number.POSITIVE_INFINITY)) {
      const { seenAt, doneAt } = renewals.next
      renewals.seenAt = seenAt
      renewals.next = this.renewal(renewals.random, doneAt + leasePeriod(renewals.random))
    }
  }

  private renewal(random: RandomStream, sentAt: Us): Renewal {
    const { requestLatency, watchDelay } = this.profile
    const takes = sample(requestLatency.write, random)
    return { sentAt, seenAt: sentAt + Math.round(takes / 2) + sample(watchDelay, random), doneAt: sentAt + takes }
  }

  private tell(node: string): void {
    for (const changed of this.changed) changed(node)
  }
}
