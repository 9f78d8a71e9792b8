import type { RunContent } from '../../harness/runs/run.ts'
import type { Verdict } from '../../harness/verdict/decide.ts'
import type { WaiverRemark } from '../../harness/waivers/waivers.ts'
import type { Overview, Reporter, Totals } from './reporter.ts'

/** A reporter that passes all on to another and keeps it. */
export interface Recorder extends Reporter {
  /** Of the verdicts so far. */
  totals(tookMs: number): Totals
  recorded(): Pick<RunContent, 'overview' | 'verdicts' | 'waivers' | 'totals'>
}

export function recorder(reporter: Reporter): Recorder {
  let overview: Overview | undefined
  let waivers: readonly WaiverRemark[] = []
  let last: Totals | undefined
  const verdicts: { verdict: Verdict; tookMs: number }[] = []
  const count = (outcome: Verdict['outcome']) => verdicts.filter(({ verdict }) => verdict.outcome === outcome).length
  const totals = (tookMs: number): Totals => ({
    passed: count('PASS'),
    failed: count('FAIL'),
    invalid: count('INVALID'),
    skipped: count('SKIPPED'),
    unstable: count('UNSTABLE'),
    waived: count('WAIVED'),
    tookMs,
  })
  return {
    begin(given) {
      overview = given
      reporter.begin(given)
    },
    trying: (scenario, subject) => reporter.trying?.(scenario, subject),
    verdict(verdict, tookMs) {
      verdicts.push({ verdict, tookMs })
      reporter.verdict(verdict, tookMs)
    },
    waivers(remarks) {
      waivers = remarks
      reporter.waivers?.(remarks)
    },
    end(given) {
      last = given
      reporter.end(given)
    },
    totals,
    recorded: () => ({ overview: overview!, verdicts, waivers, totals: last ?? totals(0) }),
  }
}
