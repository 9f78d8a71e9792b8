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
}

/** One trial, with the inputs changed as told. */
export const attempt = (
  { scenario, judgeable, tier }: Pick<DecideOptions, 'scenario' | 'judgeable' | 'tier'>,
  seed: number,
  overrides: Overrides,
): Promise<TrialResult> => runTrial({ scenario, setup: judgeable.prepare(overrides), tier, seed })
