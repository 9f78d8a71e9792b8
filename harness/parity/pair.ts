import { brokenIn, type TrialResult } from '../verdict/verdict.ts'
import { VERSION } from '../version.ts'
import { compareReads } from './compare.ts'
import type { Comparison, Side } from './comparison.ts'
import { explain } from './explain.ts'
import type { Read } from './read.ts'

/** A trial that has ended, on one tier. `read` is empty where nothing ran. */
export interface Ended {
  readonly tier: string
  readonly result: TrialResult
  readonly read: Read
}

/** Compares a trial on two tiers; `otherSeeds` gives trials like `a` that tell what is chance, and is asked where something differs. */
export async function pair(
  what: { scenario: string; sample: string },
  a: Ended,
  b: Ended,
  otherSeeds: () => Promise<readonly Read[]>,
): Promise<Comparison> {
  const compared = compareReads(a.read, b.read)
  const sides = [sideOf(a), sideOf(b)] as const
  const seeds = compared.differences.length > 0 ? await otherSeeds() : []
  return {
    schemaVersion: 1,
    ...what,
    subject: a.result.subject,
    seed: a.result.seed,
    seatrial: VERSION,
    sides,
    verdict: sameVerdict(...sides),
    streams: compared.streams,
    differences: explain(compared, { scenario: what.scenario, a: a.read, otherSeeds: seeds }),
  }
}

function sideOf({ tier, result, read }: Ended): Side {
  const { outcome, invalid, skipped, requests, simulatedUs } = result
  const { sent, ok, failed } = requests
  return {
    tier,
    outcome,
    causes: brokenIn(result).map(({ cause }) => cause),
    invalid: invalid.map(({ code }) => code),
    ...(skipped ? { skipped } : {}),
    requests: { sent, ok, failed },
    lastedUs: simulatedUs,
    phasesUs: Object.fromEntries(read.phases),
  }
}

/** A verdict is the outcome, and for a failure the cause that is told first: with another cause a user is given other advice. */
function sameVerdict(a: Side, b: Side): Comparison['verdict'] {
  if (a.outcome !== b.outcome) return isVerdict(a) && isVerdict(b) ? 'differs' : 'undecided'
  return a.causes[0] === b.causes[0] ? 'same' : 'differs'
}

const isVerdict = ({ outcome }: Side): boolean => outcome === 'PASS' || outcome === 'FAIL'
