import type { LagProfile } from '../../sandbox/kube/lag.ts'
import type { Overrides } from '../judgeable.ts'
import type { Scenario } from '../scenario.ts'
import type { TrialResult } from '../verdict/verdict.ts'
import type { PortablePlatform } from './portable.ts'

/** What a thread is told first: the platform that all its trials are of. */
export interface Opening {
  readonly platform: PortablePlatform
  readonly lag: LagProfile
}

/** One trial to run; its parameters are in the scenario. */
export interface TrialRequest {
  readonly id: number
  readonly scenario: Scenario
  /** The judgeable's key. */
  readonly subject: string
  readonly seed: number
  readonly overrides: Overrides
}

export type TrialReply =
  | { readonly id: number; readonly result: TrialResult }
  | { readonly id: number; readonly error: { readonly message: string; readonly stack?: string } }
