import type { Clock, Timer } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'

interface Eviction {
  readonly createdAt: Us
  /** Undefined: under way. */
  timer: Timer | undefined
}

/** Pods that will be deleted when their time comes. Follows pkg/controller/tainteviction/timed_workers.go. */
export class Evictions {
  private readonly clock: Clock
  private readonly fire: (podKey: string) => void
  private readonly planned = new Map<string, Eviction>()

  constructor(clock: Clock, fire: (podKey: string) => void) {
    this.clock = clock
    this.fire = fire
  }

  /** Undefined when nothing is planned for the pod, or it is under way. */
  createdAt(podKey: string): Us | undefined {
    const eviction = this.planned.get(podKey)
    return eviction?.timer && eviction.createdAt
  }

  has(podKey: string): boolean {
    return this.planned.has(podKey)
  }

  /** The delay counts from now, even where `createdAt` is earlier. Does nothing for a pod that has a plan. */
  add(podKey: string, createdAt: Us, fireAt: Us): void {
    if (this.planned.has(podKey)) return
    const eviction: Eviction = { createdAt, timer: undefined }
    this.planned.set(podKey, eviction)
    const delay = fireAt - createdAt
    if (delay <= 0) {
      this.fire(podKey)
      return
    }
    eviction.timer = this.clock.after(delay, () => {
      eviction.timer = undefined
      this.fire(podKey)
    })
  }

  /** True when it was still to come. One under way goes on. */
  cancel(podKey: string): boolean {
    const eviction = this.planned.get(podKey)
    if (!eviction) return false
    eviction.timer?.cancel()
    this.planned.delete(podKey)
    return eviction.timer !== undefined
  }

  done(podKey: string): void {
    this.planned.delete(podKey)
  }
}
