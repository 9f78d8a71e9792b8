import type { Us } from '../../sandbox/world/time.ts'
import type { AlertsSeen } from '../alerts/seen.ts'
import type { Cost } from '../cost/cost.ts'
import type { Broken } from '../expectations/check.ts'

/** What a trial says. UNSTABLE is the word over several seeds that disagree, WAIVED over a failure that someone has accepted. */
export type Outcome = 'PASS' | 'FAIL' | 'INVALID' | 'SKIPPED' | 'UNSTABLE' | 'WAIVED'

/** Why a trial has nothing to say. */
export interface Invalid {
  readonly code: InvalidCode
  readonly what: string
  readonly fix: string
}

/** Stable names. */
export type InvalidCode =
  | 'NO_SAMPLES'
  | 'NO_LOAD'
  | 'FAULT_INVISIBLE'
  | 'NOT_A_NUMBER'
  | 'TOO_LARGE'
  | 'UNMODELLED'
  | 'ASSUMPTION_DECIDES'
  | 'UNKNOWN_MODEL'
  | 'ESTIMATE_DECIDES'
  | 'NOT_SETTLED'
  | 'MACHINE_TOO_SLOW'

/** One expectation, judged. */
export interface Judged {
  readonly expectation: string
  readonly held: boolean
  /** Not judged: the trial ended before. */
  readonly cutShort?: boolean
  readonly samples: number
  readonly summary?: string
  readonly broken?: Broken
}

/** One scenario × one subject × one tier × one seed. */
export interface TrialResult {
  readonly outcome: Exclude<Outcome, 'UNSTABLE' | 'WAIVED'>
  readonly scenario: string
  readonly subject: string
  readonly tier: string
  readonly seed: number
  readonly judged: readonly Judged[]
  readonly invalid: readonly Invalid[]
  readonly skipped?: string
  /** Virtual time the trial took. */
  readonly simulatedUs: Us
  /** When the platform had settled. */
  readonly settledAt?: Us
  readonly requests: RequestCounts
  /** What the platform's alerts told; undefined where it has none, or nothing was done to it. */
  readonly alerts?: AlertsSeen
  /** Undefined where nothing ran, or on no GPU. */
  readonly cost?: Cost
  readonly journalHash: string
}

export interface RequestCounts {
  readonly sent: number
  readonly ok: number
  readonly failed: number
  /** From the intended send time; undefined without an answered request. */
  readonly ttftP50Us?: Us
  readonly ttftP99Us?: Us
}

/** The expectations a trial broke, in the order of time. */
export const brokenIn = (result: TrialResult): Broken[] =>
  result.judged.flatMap((judged) => (judged.broken ? [judged.broken] : [])).sort((a, b) => a.at - b.at)
