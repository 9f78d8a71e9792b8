import type { Verdict } from '../../harness/verdict/decide.ts'

/** A reader of what a verification says, in order. Adding a format is adding a file beside this one. */
export interface Reporter {
  begin(overview: Overview): void
  /** A verdict is being worked out. */
  trying?(scenario: string, subject: string): void
  verdict(verdict: Verdict, tookMs: number): void
  end(totals: Totals): void
}

/** What is going to be tried, and with what. */
export interface Overview {
  readonly version: string
  readonly name: string
  readonly tier: string
  readonly seeds: readonly number[]
  readonly servers: readonly string[]
  /** `4 × 8 H100`. */
  readonly nodes: string
  readonly scenarios: readonly string[]
  readonly assumed: readonly { readonly name: string; readonly value: string; readonly howToGive: string }[]
  readonly notes: readonly string[]
}

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly invalid: number
  readonly skipped: number
  readonly unstable: number
  readonly tookMs: number
}
