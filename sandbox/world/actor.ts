import type { Clock, Timer } from './clock.ts'
import type { Us } from './time.ts'

export { Signal } from './signal.ts'

/**
 * Actors are coroutines. A task yields effects (sleep, a request, a signal) and the clock resumes it when they are done,
 * so the same code runs where an answer comes at once, later in virtual time, or over a network.
 */
export type Task<T = void> = Generator<AnyEffect, T, unknown>

/**
 * Something to wait for. `start` begins it and may return how to give it up. It answers once, by `resume` or `fail`, and no more
 * after it was given up.
 */
export interface Effect<T> {
  start(clock: Clock, resume: (value: T) => void, fail: (error: unknown) => void): GiveUp | undefined
}

/** How to end a wait before its answer. */
export type GiveUp = (() => void) | Timer

// biome-ignore lint/suspicious/noExplicitAny: a task yields effects of different results; `perform` gives each its type back
type AnyEffect = Effect<any>

/** Waits for an effect: `const pod = yield* perform(effect)`. */
export function* perform<T>(effect: Effect<T>): Task<T> {
  return (yield effect) as T
}

/** Waits for `duration`. */
export function* sleep(duration: Us): Task {
  yield new Sleep(duration)
}

class Sleep implements Effect<undefined> {
  private readonly duration: Us

  constructor(duration: Us) {
    this.duration = duration
  }

  start(clock: Clock, resume: (value?: undefined) => void): Timer {
    return clock.after(this.duration, resume)
  }
}

/** A running task. */
export interface Actor<T = unknown> {
  readonly done: boolean
  /** Gives up what it waits for and runs its `finally` blocks. Does nothing when it has ended. */
  stop(): void
  /** Waits for its result; fails with its error. */
  join(): Task<T>
}

/**
 * Starts a task now. An error nobody joins is a bug in the actor: it is thrown out of the clock, and ends the trial
 * with the actor's name in it.
 */
export function spawn<T>(clock: Clock, name: string, task: Task<T>): Actor<T> {
  const running = new Runner<T>(clock, name, task)
  running.step('next', undefined)
  return running
}

/** What a runner is doing: in its task, in an effect's `start`, waiting for an answer, or beyond it all. */
type Stage = 'running' | 'starting' | 'answered' | 'waiting' | 'done'

class Runner<T> implements Actor<T> {
  private stage: Stage = 'running'
  private readonly clock: Clock
  private readonly name: string
  private readonly task: Task<T>
  private giveUp: GiveUp | undefined
  /** What an effect answered within its `start`. */
  private mode: 'next' | 'throw' = 'next'
  private answer: unknown
  private outcome: { value: T } | { error: unknown } | undefined
  private waiters: { resume: (value: T) => void; fail: (error: unknown) => void }[] | undefined

  constructor(clock: Clock, name: string, task: Task<T>) {
    this.clock = clock
    this.name = name
    this.task = task
  }

  get done(): boolean {
    return this.stage === 'done'
  }

  /** Runs the task to its next wait. Effects that finish within `start` continue in the loop, not by recursion. */
  step(how: 'next' | 'throw', input: unknown): void {
    let mode = how
    let value = input
    for (;;) {
      let result: IteratorResult<AnyEffect, T>
      try {
        result = mode === 'next' ? this.task.next(value) : this.task.throw(value)
      } catch (error) {
        this.settle({ error })
        return
      }
      if (result.done) {
        this.settle({ value: result.value })
        return
      }
      this.stage = 'starting'
      const giveUp = result.value.start(this.clock, this.resume, this.fail)
      // the effect may have answered by now, or stopped this very actor
      const stage = this.stage as Stage
      if (stage === 'done') return
      if (stage === 'starting') {
        this.stage = 'waiting'
        this.giveUp = giveUp
        return
      }
      this.stage = 'running'
      mode = this.mode
      value = this.answer
      this.answer = undefined
    }
  }

  // made once for each actor, not once for each wait
  private readonly resume = (value: unknown): void => this.reply('next', value)
  private readonly fail = (error: unknown): void => this.reply('throw', error)

  private reply(mode: 'next' | 'throw', value: unknown): void {
    if (this.stage === 'starting') {
      this.stage = 'answered'
      this.mode = mode
      this.answer = value
    } else if (this.stage === 'waiting') {
      this.stage = 'running'
      this.giveUp = undefined
      this.step(mode, value)
    }
  }

  stop(): void {
    if (this.done) return
    const { giveUp } = this
    this.giveUp = undefined
    if (giveUp) endWait(giveUp)
    this.stage = 'done'
    this.task.return(undefined as T)
    this.settle({ error: new StoppedError(this.name) }, true)
  }

  *join(): Task<T> {
    return yield* perform<T>({
      start: (_clock, resume, fail) => {
        if (this.outcome) {
          if ('error' in this.outcome) fail(this.outcome.error)
          else resume(this.outcome.value)
          return undefined
        }
        const waiter = { resume, fail }
        this.waiters ??= []
        this.waiters.push(waiter)
        return () => {
          this.waiters = this.waiters?.filter((w) => w !== waiter)
        }
      },
    })
  }

  private settle(outcome: { value: T } | { error: unknown }, stopped = false): void {
    this.stage = 'done'
    this.outcome = outcome
    const waiters = this.waiters ?? []
    this.waiters = undefined
    if ('error' in outcome && waiters.length === 0 && !stopped) {
      throw outcome.error instanceof ActorError ? outcome.error : new ActorError(this.name, outcome.error)
    }
    for (const waiter of waiters) {
      if ('error' in outcome) waiter.fail(outcome.error)
      else waiter.resume(outcome.value)
    }
  }
}

function endWait(giveUp: GiveUp): void {
  if (typeof giveUp === 'function') giveUp()
  else giveUp.cancel()
}

/** An actor ended by an error it did not handle: a bug, not a finding. */
export class ActorError extends Error {
  constructor(actor: string, cause: unknown) {
    super(`actor ${actor} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'ActorError'
  }
}

/** What a join sees when the joined task was stopped. */
export class StoppedError extends Error {
  constructor(actor: string) {
    super(`${actor} was stopped`)
    this.name = 'StoppedError'
  }
}

/**
 * Runs tasks side by side and waits for all of them, like client-go callers do with WaitGroups: when some fail the others still
 * finish, then the first error (in the order of the tasks) is thrown. Results are in the order of the tasks.
 */
export function* all<T>(tasks: readonly Task<T>[]): Task<T[]> {
  const outcomes = yield* allSettled(tasks)
  return outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error
    return outcome.value
  })
}

/** Like `all`, but gives each task's value or error. */
export function* allSettled<T>(tasks: readonly Task<T>[]): Task<({ value: T } | { error: unknown })[]> {
  if (tasks.length === 0) return []
  return yield* perform<({ value: T } | { error: unknown })[]>({
    start(clock, resume) {
      const outcomes = new Array<{ value: T } | { error: unknown }>(tasks.length)
      let left = tasks.length
      const actors = tasks.map((task, i) =>
        spawn(
          clock,
          `all[${i}]`,
          (function* () {
            try {
              outcomes[i] = { value: yield* task }
            } catch (error) {
              outcomes[i] = { error }
            }
            if (--left === 0) resume(outcomes)
          })(),
        ),
      )
      return () => {
        for (const actor of actors) actor.stop()
      }
    },
  })
}
