import type { Effect, Task } from './actor.ts'
import type { Clock, Timer } from './clock.ts'
import type { Us } from './time.ts'

/** A condition tasks wait on. `notify` wakes all that wait now, at the present time, in the order they came. */
export class Signal {
  private waiting: Waiting[] = NOBODY

  notify(): void {
    const { waiting } = this
    if (waiting.length === 0) return
    this.waiting = NOBODY
    for (const one of waiting) one.woken()
  }

  *wait(): Task {
    yield new Waiting(this, undefined)
  }

  /** Waits for the next `notify`, at most for `timeout`. True when notified, false when time ran out. */
  *waitFor(timeout?: Us): Task<boolean> {
    return (yield new Waiting(this, timeout)) as boolean
  }

  /** For `Waiting`. */
  enter(one: Waiting): void {
    if (this.waiting === NOBODY) this.waiting = [one]
    else this.waiting.push(one)
  }

  /** For `Waiting`. */
  leave(one: Waiting): void {
    if (this.waiting.length > 0) this.waiting = this.waiting.filter((other) => other !== one)
  }
}

/** Shared by all signals nobody waits on. */
const NOBODY: Waiting[] = []

/** One actor's wait on a signal. */
class Waiting implements Effect<boolean>, Timer {
  private readonly signal: Signal
  private readonly timeout: Us | undefined
  private clock: Clock | undefined
  private resume: ((value: boolean) => void) | undefined
  private timer: Timer | undefined
  private pending: Timer | undefined

  constructor(signal: Signal, timeout: Us | undefined) {
    this.signal = signal
    this.timeout = timeout
  }

  start(clock: Clock, resume: (value: boolean) => void): Timer {
    this.clock = clock
    this.resume = resume
    if (this.timeout !== undefined) this.timer = clock.after(this.timeout, () => this.end(false))
    this.signal.enter(this)
    return this
  }

  /** By way of the clock: a waiter never runs inside the notifier's own step. */
  woken(): void {
    this.pending = this.clock!.after(0, () => this.end(true))
  }

  cancel(): void {
    this.timer?.cancel()
    this.pending?.cancel()
    this.signal.leave(this)
  }

  private end(value: boolean): void {
    this.cancel()
    this.resume!(value)
  }
}
