import type { Verdict } from '../../harness/verdict/decide.ts'
import type { WaiverRemark } from '../../harness/waivers/waivers.ts'
import { jsonText } from './json-text.ts'
import type { Overview, Reporter } from './reporter.ts'

/** For programs: one JSON document on stdout when all is done. */
export function jsonReporter(): Reporter {
  let overview: Overview | undefined
  const verdicts: Verdict[] = []
  let waivers: readonly WaiverRemark[] = []
  return {
    begin: (given) => {
      overview = given
    },
    verdict: (verdict) => verdicts.push(verdict),
    waivers: (remarks) => {
      waivers = remarks
    },
    end(given) {
      const totals = { ...given, tookMs: Math.round(given.tookMs) }
      process.stdout.write(`${jsonText({ schemaVersion: 1, ...overview, verdicts, waivers, totals })}\n`)
    },
  }
}
