import type { Tier } from '../../sandbox/tiers/tier.ts'
import type { Judgeable, Overrides } from '../judgeable.ts'
import type { Scenario } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import type { TrialResult } from './verdict.ts'

/** What a verdict is made from. */
export interface DecideOptions {
  readonly scenario: Scenario
  readonly judgeable: Judgeable
  readonly tier: Tier
  readonly seeds: readonly number[]
  /** The command that replays a trial, for the last line of a finding. */
  readonly replay: (seed: number, at: string) => string
  /** Runs one trial; in this thread where it is left out. */
  readonly attempt?: Attempt
  /**
   * Runs what the trials of the seeds give rise to: ends of assumed ranges, the breaking point, fixes. Left out: as the trials themselves.
   * Where it says otherwise than they do, nothing more is tried.
   */
  readonly followUp?: Attempt
  /** Other scenarios, with the platform's figures: a fix that adds objects must not make one of them fail. None is tried where it is left out. */
  readonly others?: readonly Scenario[]
}

/** One trial, with the inputs changed as told. */
export type Attempt = (
  what: Pick<DecideOptions, 'scenario' | 'judgeable' | 'tier'>,
  seed: number,
  overrides: Overrides,
) => Promise<TrialResult>

export const attempt = (options: DecideOptions, seed: number, overrides: Overrides): Promise<TrialResult> =>
  (options.attempt ?? here)(options, seed, overrides)

let last: Promise<unknown> = Promise.resolve()

/** One after the other: begun together, they would only all lie in memory at once. */
const here: Attempt = ({ scenario, judgeable, tier }, seed, overrides) => {
  const result = last.then(() => runTrial({ scenario, setup: judgeable.prepare(overrides), tier, seed }))
  last = result.catch(() => undefined)
  return result
}
