import type { Us } from '../../sandbox/world/time.ts'
import type { TrialResult } from '../verdict/verdict.ts'

/** One trial on two tiers, compared. What `seatrial parity --json` prints and `harness/parity/results` keeps. */
export interface Comparison {
  readonly schemaVersion: 1
  readonly scenario: string
  /** `good/two-nodes` for a sample platform of the scenario; the inference server for one that was given. */
  readonly sample: string
  readonly subject: string
  readonly seed: number
  readonly seatrial: string
  /** The two sides, `a` before `b`. */
  readonly sides: readonly [Side, Side]
  /** `undecided`: one side has no verdict (INVALID, SKIPPED) where the other has one. */
  readonly verdict: 'same' | 'differs' | 'undecided'
  readonly streams: readonly StreamSummary[]
  readonly differences: readonly Difference[]
}

export interface Side {
  /** `sim`, `local`; with the lag profile after a colon where it is not the default one. */
  readonly tier: string
  readonly outcome: TrialResult['outcome']
  /** Codes of what broke, in the order of time. */
  readonly causes: readonly string[]
  /** Codes of why it is INVALID. */
  readonly invalid: readonly string[]
  readonly skipped?: string
  readonly requests: { readonly sent: number; readonly ok: number; readonly failed: number }
  /** Time of the trial's own clock. */
  readonly lastedUs: Us
  /** When each phase began. */
  readonly phasesUs: Readonly<Record<string, Us>>
}

export interface StreamSummary {
  readonly stream: string
  readonly both: number
  readonly onlyA: number
  readonly onlyB: number
  /** Of decisions that both made, from `a` to `b`, since the begin of the phase; undefined without any. */
  readonly offsets?: { readonly medianUs: Us; readonly p95Us: Us; readonly maxUs: Us }
  /** Those that are apart by more than the period that governs them, and the second to which phases are known. */
  readonly late: number
  /** Those of the longer trial that came when the other one had ended: nobody can say whether it would have made them. */
  readonly afterEnd: number
}

/** A decision that one side alone made, or both at times further apart than its period. */
export interface Difference {
  readonly sort: 'only-a' | 'only-b' | 'late'
  readonly stream: string
  readonly what: string
  /** How many times, where it is one side's alone. */
  readonly times: number
  /** When, the first time, on the side that has it, or on `a`. */
  readonly phase: string
  readonly intoUs: Us
  readonly offsetUs?: Us
  readonly period?: { readonly name: string; readonly us: Us }
  /** Why it may be; undefined: nobody knows. */
  readonly because?: Because
}

/** `chance`: other seeds of `a` differ alike. `follows`: it comes after a difference that is told. `known`: a cause with a name. */
export interface Because {
  readonly sort: 'chance' | 'follows' | 'known'
  readonly text: string
}

/** Those that nothing explains. */
export const unexplained = (differences: readonly Difference[]): Difference[] =>
  differences.filter(({ because }) => because === undefined)
