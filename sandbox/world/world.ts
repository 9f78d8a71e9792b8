import type { Journal } from '../journal/journal.ts'
import { type Actor, spawn, type Task } from './actor.ts'
import type { Clock } from './clock.ts'
import { type RandomStream, randomStream } from './random.ts'

/** Where time, chance and the record of a trial come from. There is no other source of any of them. */
export interface World<C extends Clock = Clock> {
  readonly clock: C
  readonly seed: number
  readonly journal: Journal
  /** One stream per actor, by name: adding an actor does not disturb the others. */
  random(stream: string): RandomStream
  spawn<T>(name: string, task: Task<T>): Actor<T>
}

export function createWorld<C extends Clock>(options: { clock: C; seed: number; journal: Journal }): World<C> {
  const { clock, seed, journal } = options
  return {
    clock,
    seed,
    journal,
    random: (stream) => randomStream(seed, stream),
    spawn: (name, task) => spawn(clock, name, task),
  }
}
