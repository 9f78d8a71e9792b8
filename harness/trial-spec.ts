import type { Journal, JournalHeader } from '../sandbox/journal/journal.ts'
import type { Tier } from '../sandbox/tiers/tier.ts'
import type { Scenario } from './scenario.ts'
import type { Setup } from './setup.ts'

/** One scenario × one subject × one tier × one seed. */
export interface TrialSpec {
  readonly scenario: Scenario
  readonly setup: Setup
  readonly tier: Tier
  readonly seed: number
  /** Called with the whole record when the trial has been judged. */
  readonly onRecord?: (record: TrialRecord) => void
}

/** All that was recorded of a trial. */
export interface TrialRecord {
  readonly header: JournalHeader
  readonly journal: Journal
}
