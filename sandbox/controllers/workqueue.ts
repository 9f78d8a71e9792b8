import { TokenBucket } from '../kube/lag.ts'
import { perform, type Task } from '../world/actor.ts'
import type { Clock } from '../world/clock.ts'
import { ms, seconds, type Us } from '../world/time.ts'

/**
 * client-go's rate-limited delaying work queue: a key waits at most once, is worked on by one worker at a time, and comes back
 * after its failures with growing delays. Follows k8s.io/client-go/util/workqueue (queue.go, delaying_queue.go,
 * default_rate_limiters.go: per item 5 ms doubling to 1000 s, and 10 a second with a burst of 100 over all).
 */
export class WorkQueue {
  private readonly clock: Clock
  private readonly baseDelay: Us
  private readonly ready: string[] = []
  private readonly dirty = new Set<string>()
  private readonly processing = new Set<string>()
  private readonly failures = new Map<string, number>()
  private readonly bucket = new TokenBucket({ qps: 10, burst: 100 })
  private readonly later = new Map<string, { at: Us; cancel(): void }>()
  private readonly idle: (() => void)[] = []

  constructor(clock: Clock, options: { baseDelay?: Us } = {}) {
    this.clock = clock
    this.baseDelay = options.baseDelay ?? ms(5)
  }

  get length(): number {
    return this.ready.length
  }

  add(key: string): void {
    if (this.dirty.has(key)) return
    this.dirty.add(key)
    if (!this.processing.has(key)) this.push(key)
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
    const perItem = Math.min(this.baseDelay * 2 ** failures, seconds(1000))
    this.addAfter(key, Math.max(perItem, this.bucket.take(this.clock.now) - this.clock.now))
  }

  /** How often the key has failed since it was last forgotten. */
  requeues(key: string): number {
    return this.failures.get(key) ?? 0
  }

  forget(key: string): void {
    this.failures.delete(key)
  }

  /** Waits for a key. Tell the queue when it is `done`. */
  *take(): Task<string> {
    while (this.ready.length === 0) yield* this.waitForKey()
    const key = this.ready.shift()!
    this.processing.add(key)
    this.dirty.delete(key)
    return key
  }

  done(key: string): void {
    this.processing.delete(key)
    if (this.dirty.has(key)) this.push(key)
  }

  /** One idle worker is woken for one key, by way of the clock: it never runs inside the step of who added. */
  private push(key: string): void {
    this.ready.push(key)
    const wake = this.idle.shift()
    if (wake) this.clock.after(0, wake)
  }

  private *waitForKey(): Task {
    yield* perform<undefined>({
      start: (_clock, resume) => {
        let given = false
        const wake = () => {
          if (!given) resume(undefined)
          else if (this.ready.length > 0) this.idle.shift()?.()
        }
        this.idle.push(wake)
        return () => {
          given = true
          const at = this.idle.indexOf(wake)
          if (at >= 0) this.idle.splice(at, 1)
        }
      },
    })
  }
}
