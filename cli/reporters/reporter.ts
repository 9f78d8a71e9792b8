import type { Overview, Run, Totals } from '../../harness/runs/run.ts'
import type { Verdict } from '../../harness/verdict/decide.ts'
import type { WaiverRemark } from '../../harness/waivers/waivers.ts'

export type { Overview, Totals } from '../../harness/runs/run.ts'

/** A reader of what a verification says, in order. Adding a format is adding a file beside this one. */
export interface Reporter {
  begin(overview: Overview): void
  /** A verdict is being worked out. */
  trying?(scenario: string, subject: string): void
  verdict(verdict: Verdict, tookMs: number): void
  /** What is to be said of waivers; nothing when all do what they are there for. */
  waivers?(remarks: readonly WaiverRemark[]): void
  end(totals: Totals): void
}

/** Tells a reporter what a run said. */
export function replay({ overview, verdicts, waivers, totals }: Omit<Run, 'schemaVersion'>, reporter: Reporter): void {
  reporter.begin(overview)
  for (const { verdict, tookMs } of verdicts) reporter.verdict(verdict, tookMs)
  if (waivers.length > 0) reporter.waivers?.(waivers)
  reporter.end(totals)
}
