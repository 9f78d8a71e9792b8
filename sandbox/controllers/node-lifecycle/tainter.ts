import { TokenBucket } from '../../kube/lag.ts'
import type { Us } from '../../world/time.ts'

interface Waiting {
  readonly node: string
  /** Earliest time of the next try. */
  processAt: Us
}

/**
 * The nodes of one zone that are to be tainted, at most so many a second. A node that was handled is not taken again until it
 * is removed. Follows pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go.
 */
export class ZoneTainter {
  private readonly known = new Set<string>()
  private queue: Waiting[] = []
  private qps: number
  private bucket: TokenBucket | undefined

  constructor(qps: number) {
    this.qps = qps
    this.bucket = bucketOf(qps)
  }

  get waiting(): boolean {
    return this.queue.length > 0
  }

  /** False when the node is in already, waiting or handled. */
  add(node: string, now: Us): boolean {
    if (this.known.has(node)) return false
    this.known.add(node)
    this.queue.push({ node, processAt: now })
    return true
  }

  /** The node may be added again. True when it was in. */
  remove(node: string): boolean {
    this.queue = this.queue.filter((w) => w.node !== node)
    return this.known.delete(node)
  }

  /** Another rate; 0 stops. A bucket that was empty starts empty. */
  setRate(qps: number, now: Us): void {
    if (qps === this.qps) return
    const had = this.bucket?.tryTake(now) ?? false
    this.qps = qps
    this.bucket = bucketOf(qps)
    if (!had) this.bucket?.tryTake(now)
  }

  /** The node to handle now, if the rate allows one. Tell `retry` or `handled` then. */
  next(now: Us): string | undefined {
    const head = this.head()
    if (!head || !this.bucket?.tryTake(now) || now < head.processAt) return undefined
    return head.node
  }

  retry(node: string, at: Us): void {
    for (const waiting of this.queue) if (waiting.node === node) waiting.processAt = at
  }

  handled(node: string): void {
    this.queue = this.queue.filter((w) => w.node !== node)
  }

  /** The first of those that wait longest. */
  private head(): Waiting | undefined {
    let head = this.queue[0]
    for (const waiting of this.queue) if (head && waiting.processAt < head.processAt) head = waiting
    return head
  }
}

/** `EvictionRateLimiterBurst` is 1. */
const bucketOf = (qps: number): TokenBucket | undefined => (qps > 0 ? new TokenBucket({ qps, burst: 1 }) : undefined)
