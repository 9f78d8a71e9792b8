import type { RandomStream } from '../../../world/random.ts'
import type { Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import type { MachinePark, ProvisioningDelays } from '../machines.ts'
import type { ClusterAutoscalerFlags, NodeGroupOptions } from './options.ts'

/** A machine that was ordered. */
interface Order {
  readonly orderedAt: Us
  /** Whether the machine is there: its kubelet has begun. */
  started: boolean
  cancelled: boolean
  /** Whether it ever was a node that pods fit on. */
  wasReady: boolean
}

export interface NodeGroupParts {
  readonly world: World
  readonly park: MachinePark
  readonly delays: ProvisioningDelays
  readonly flags: ClusterAutoscalerFlags
  readonly random: RandomStream
}

/** A node group as its cloud runs it, and what the autoscaler remembers of it. */
export class NodeGroup {
  readonly name: string
  readonly options: NodeGroupOptions
  /** Every machine the group has or has ordered, by node name. */
  readonly members = new Map<string, Order>()
  private readonly parts: NodeGroupParts
  private backoffUntil: Us = 0
  private backoff: Us = 0
  private failedAt: Us = 0

  constructor(options: NodeGroupOptions, parts: NodeGroupParts) {
    this.options = options
    this.name = options.name
    this.parts = parts
    for (const node of options.nodes ?? [])
      this.members.set(node, { orderedAt: 0, started: true, cancelled: false, wasReady: true })
  }

  get target(): number {
    return this.members.size
  }

  get backedOff(): boolean {
    return this.parts.world.clock.now < this.backoffUntil
  }

  /** Orders machines. `refused` is called when the cloud has none. */
  increase(count: number, refused: () => void): void {
    const { world, park, delays, random } = this.parts
    const { shape } = this.options
    for (let i = 0; i < count; i++) {
      const name = `${this.name}-${random.suffix(5)}`
      const order: Order = { orderedAt: world.clock.now, started: false, cancelled: false, wasReady: false }
      this.members.set(name, order)
      const has = park.hasCapacity?.(shape) ?? true
      world.clock.after(has ? delays.register : delays.refusal, () => {
        if (order.cancelled) return
        if (!has) {
          this.members.delete(name)
          refused()
          return
        }
        order.started = true
        park.addNode(name, shape, shape.gpu ? delays.devicePlugin : 0)
      })
    }
  }

  /** Gives a machine back, or takes its order back. */
  remove(node: string): void {
    const order = this.members.get(node)
    if (!order) return
    order.cancelled = true
    this.members.delete(node)
    this.parts.park.removeNode(node)
  }

  /** No scale-up for a while: 5 min, doubled up to 30. Follows cluster-autoscaler/utils/backoff/exponential_backoff.go. */
  backOff(): void {
    const { now } = this.parts.world.clock
    const { initialNodeGroupBackoff, maxNodeGroupBackoff, nodeGroupBackoffReset } = this.parts.flags
    if (this.backedOff) return
    const fresh = this.backoff === 0 || now - this.failedAt > nodeGroupBackoffReset
    this.backoff = fresh ? initialNodeGroupBackoff : Math.min(this.backoff * 2, maxNodeGroupBackoff)
    this.failedAt = now
    this.backoffUntil = now + this.backoff
  }
}
