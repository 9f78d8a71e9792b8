import type { Levers, Sandbox } from '../../sandbox/tiers/tier.ts'
import type { Task } from '../../sandbox/world/actor.ts'
import type { CheckContext, Fold, WordArguments } from '../expectations/check.ts'
import type { Setup } from '../setup.ts'
import type { Subject } from '../subject.ts'

/**
 * Something done to the platform: a failure, or a change a person would make. It composes levers, names the effect it must be seen to
 * have, and returns how it is healed. Adding one is adding a file beside this one.
 */
export interface Fault<Params = unknown> {
  readonly name: string
  /** A tier without this lever cannot do it: the scenario is SKIPPED there. */
  readonly lever?: keyof Levers
  /** A failure is healed before convergence is judged; a change stays. */
  readonly sort: 'failure' | 'change'
  describe(params: Params): string
  /** How many times longer a start may take under it. */
  stretches?(params: Params): number
  inject(params: Params, context: FaultContext): Task<() => void>
  /** Counts signs of the effect; none by the end of the trial makes it INVALID. */
  visible(params: Params, context: CheckContext): Fold
}

export interface FaultContext {
  readonly sandbox: Sandbox
  readonly subject: Subject
  readonly setup: Setup
}

/** A fault as a scenario writes it: JSON. */
export interface FaultCall {
  readonly fault: string
  readonly [param: string]: unknown
}

/** How scenarios say it: `at('2m', newImage())`. */
export const faultWord =
  <Params>({ name }: Fault<Params>) =>
  (...[params]: WordArguments<Params>): FaultCall => ({ fault: name, ...params })

/** Declares a fault. */
export const fault = <Params>(spec: Fault<Params>): Fault<Params> => spec
