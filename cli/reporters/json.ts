import type { Verdict } from '../../harness/verdict/decide.ts'
import type { Overview, Reporter } from './reporter.ts'

/** For programs: one JSON document on stdout when all is done. */
export function jsonReporter(): Reporter {
  let overview: Overview | undefined
  const verdicts: Verdict[] = []
  return {
    begin: (given) => {
      overview = given
    },
    verdict: (verdict) => verdicts.push(verdict),
    end(given) {
      const totals = { ...given, tookMs: Math.round(given.tookMs) }
      process.stdout.write(`${JSON.stringify({ schemaVersion: 1, ...overview, verdicts, totals }, null, 2)}\n`)
    },
  }
}
