import { type Clock, type Timer, VirtualClock } from './clock.ts'
import { EPOCH_MS, type Us } from './time.ts'

/** Calls run in one turn before the event loop gets its turn. */
const SLICE_MS = 10

/** Longest a Node timer can wait. */
const LONGEST_MS = 2 ** 31 - 1

export interface WallClockOptions {
  readonly onError?: (error: unknown) => void
  readonly zeroMs?: number
  /**
   * Node's timers are good to a millisecond: this long before a call is due the event loop turns without waiting, so that it comes to the
   * microsecond. Default 0.
   */
  readonly spinUs?: Us
}

/**
 * The wall's time as a clock. `now` counts from `zeroMs`: by default from the instant at which trial time begins on a virtual clock
 * (2026-01-01T00:00:00Z), so that it agrees with the times a real API server writes into objects. It never goes back.
 *
 * An error thrown by a call, such as an actor's, goes to `onError`; without one it is thrown out of the timer and ends the process.
 */
export class WallClock implements Clock {
  private readonly due = new VirtualClock()
  private readonly onError: ((error: unknown) => void) | undefined
  private armed: { at: Us; disarm(): void } | undefined
  private running = false
  private stopped = false
  /** When it shows 0, as Unix milliseconds. */
  readonly zeroMs: number
  private readonly spinMs: number
  /** How late a call was at worst: the process had other work, or none of the processors. */
  latestUs: Us = 0

  constructor(options: WallClockOptions = {}) {
    this.onError = options.onError
    this.zeroMs = options.zeroMs ?? EPOCH_MS
    this.spinMs = (options.spinUs ?? 0) / 1e3
    this.due.now = this.now
  }

  /** A clock of trial time: it showed `showing` seconds at the last whole second of the wall, as Kubernetes writes times in whole seconds. */
  static fromNow(options: { onError?: (error: unknown) => void; showing?: number } = {}): WallClock {
    const { showing = 0, ...rest } = options
    const nowS = Math.floor((performance.timeOrigin + performance.now()) / 1e3)
    return new WallClock({ ...rest, zeroMs: (nowS - showing) * 1e3 })
  }

  /** For when the call that runs, or the last that ran, was scheduled. */
  get scheduled(): Us {
    return this.due.now
  }

  get now(): Us {
    return Math.round((performance.timeOrigin + performance.now() - this.zeroMs) * 1e3)
  }

  at(at: Us, fn: () => void): Timer {
    const timer = this.due.at(Math.max(at, this.due.now), fn)
    this.arm()
    return timer
  }

  after(delay: Us, fn: () => void): Timer {
    return this.at(this.now + delay, fn)
  }

  /** Runs nothing from now on; what was scheduled, or will be, never comes. */
  stop(): void {
    this.stopped = true
    this.armed?.disarm()
    this.armed = undefined
  }

  /** Sets the one timer to the next call. */
  private arm(): void {
    if (this.stopped || this.running) return
    const at = this.due.nextAt()
    if (at === undefined || (this.armed && this.armed.at <= at)) return
    this.armed?.disarm()
    const waitMs = (at - this.now) / 1e3
    if (waitMs <= this.spinMs) {
      const immediate = setImmediate(() => this.fire())
      this.armed = { at, disarm: () => clearImmediate(immediate) }
      return
    }
    const timeout = setTimeout(() => this.fire(), Math.min(Math.ceil(waitMs - this.spinMs), LONGEST_MS))
    this.armed = { at, disarm: () => clearTimeout(timeout) }
  }

  /** Runs what is due, one call at a time, for at most a slice. */
  private fire(): void {
    this.armed = undefined
    this.running = true
    const until = this.now + SLICE_MS * 1e3
    try {
      for (let now = this.now; now < until && !this.stopped; now = this.now) {
        const next = this.due.nextAt()
        if (next === undefined || next > now) break
        this.latestUs = Math.max(this.latestUs, now - next)
        this.due.runUntil(next)
      }
    } catch (error) {
      if (!this.onError) throw error
      this.onError(error)
    } finally {
      this.running = false
      this.arm()
    }
  }
}
