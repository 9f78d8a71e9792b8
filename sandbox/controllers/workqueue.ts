import { TokenBucket } from '../kube/lag.ts'
import { Signal, type Task } from '../world/actor.ts'
import type { Clock } from '../world/clock.ts'
import { ms, seconds, type Us } from '../world/time.ts'

/**
 * client-go's rate-limited delaying work queue: a key waits at most once, is worked on by one worker at a time, and comes back
 * after its failures with growing delays. Follows k8s.io/client-go/util/workqueue (queue.go, delaying_queue.go,
 * default_rate_limiters.go: per item 5 ms doubling to 1000 s, and 10 a second with a burst of 100 over all).
 */
export class WorkQueue {
  private readonly clock: Clock
  private readonly ready: string[] = []
  private readonly dirty = new Set<string>()
  private readonly processing = new Set<string>()
  private readonly failures = new Map<string, number>()
  private readonly bucket = new TokenBucket({ qps: 10, burst: 100 })
  private readonly later = new Map<string, { at: Us; cancel(): void }>()
  private readonly signal = new Signal()

  constructor(clock: Clock) {
    this.clock = clock
  }

  get length(): number {
    return this.ready.length
  }

  add(key: string): void {
    if (this.dirty.has(key)) return
    this.dirty.add(key)
    if (this.processing.has(key)) return
    this.ready.push(key)
    this.signal.notify()
  }

  /** A key already waiting for a time keeps the earlier one. */
  addAfter(key: string, delay: Us): void {
    if (delay <= 0) {
      this.add(key)
      return
    }
    const at = this.clock.now + delay
    const waiting = this.later.get(key)
    if (waiting && waiting.at <= at) return
    waiting?.cancel()
    const timer = this.clock.at(at, () => {
      this.later.delete(key)
      this.add(key)
    })
    this.later.set(key, { at, cancel: () => timer.cancel() })
  }

  addRateLimited(key: string): void {
    const failures = this.failures.get(key) ?? 0
    this.failures.set(key, failures + 1)
    const perItem = Math.min(ms(5) * 2 ** failures, seconds(1000))
    this.addAfter(key, Math.max(perItem, this.bucket.take(this.clock.now) - this.clock.now))
  }

  /** How often the key has failed since it was last forgotten. */
  requeues(key: string): number {
    return this.failures.get(key) ?? 0
  }

  forget(key: string): void {
    this.failures.delete(key)
  }

  *take(): Task<string> {
    while (this.ready.length === 0) yield* this.signal.wait()
    const key = this.ready.shift()!
    this.processing.add(key)
    this.dirty.delete(key)
    return key
  }

  done(key: string): void {
    this.processing.delete(key)
    if (!this.dirty.has(key)) return
    this.ready.push(key)
    this.signal.notify()
  }
}
