import type { JournalHeader } from '../../sandbox/journal/journal.ts'
import type { JournalRecord } from '../../sandbox/journal/record.ts'
import type { World } from '../../sandbox/world/world.ts'
import { alertsSeen } from '../alerts/seen.ts'
import type { CheckResult } from '../expectations/check.ts'
import type { Followed, Observation } from '../observation.ts'
import type { TrialSpec } from '../trial-spec.ts'
import { VERSION } from '../version.ts'
import type { Invalid, Judged, RequestCounts, TrialResult } from './verdict.ts'

/** Turns what was observed into a result. No vacuous pass: what has no samples, load or visible effect is INVALID. */
export const judge = {
  skipped(spec: TrialSpec, why: string): TrialResult {
    return { ...base(spec), ...UNTRIED, outcome: 'SKIPPED', skipped: why, invalid: [] }
  },

  invalid(spec: TrialSpec, invalid: readonly Invalid[]): TrialResult {
    return { ...base(spec), ...UNTRIED, outcome: 'INVALID', invalid }
  },

  record(spec: TrialSpec, world: World, observation: Observation): TrialResult {
    const { setup } = spec
    const judged = judgedOf(observation)
    const requests = countRequests(world.journal.records, setup.subject.key, observation.sent)
    const cost = observation.cost.result(world.clock.now)
    const alerts = alertsSeen(world.journal.records, { alerts: setup.alerts, target: setup.subject.key })
    const failed = judged.some((j) => !j.held)
    const invalid = failed ? [] : invalidOf(spec, observation, requests)
    return {
      ...base(spec),
      outcome: failed ? 'FAIL' : invalid.length > 0 ? 'INVALID' : 'PASS',
      judged,
      invalid,
      simulatedUs: world.clock.now,
      settledAt: observation.settledAt,
      requests,
      ...(alerts ? { alerts } : {}),
      ...(cost ? { cost } : {}),
      journalHash: world.journal.hash(headerOf(spec)),
    }
  },
}

/** What the trial was made from. */
export const headerOf = ({ scenario, setup, tier, seed }: TrialSpec): JournalHeader => ({
  schemaVersion: 1,
  seatrial: VERSION,
  seed,
  scenario: scenario.slug,
  tier: tier.name,
  inputs: setup.inputs,
})

const base = (spec: TrialSpec) => ({
  scenario: spec.scenario.slug,
  subject: spec.setup.subject.key,
  tier: spec.tier.name,
  seed: spec.seed,
})

function judgedOf(observation: Observation): Judged[] {
  if (observation.rejected) {
    const { object, error } = observation.rejected
    const broken = {
      at: 0,
      cause: 'manifest-rejected',
      what: `the API server rejects ${object}: ${error.message}`,
      evidence: [],
    }
    return [{ expectation: 'the manifests are accepted', held: false, samples: 1, broken }]
  }
  const { followed, settledAt, comingUp } = observation
  const why = settledAt === undefined && !observation.broken() ? comingUp : []
  return [...followed, ...why].map((one) => judgedOne(one, observation))
}

function judgedOne(one: Followed, observation: Observation): Judged {
  const { expectation, describe, fold } = one
  const { samples, broken, missing, reachedAt, summary, unjudged } = fold.result()
  if (unjudged) return { expectation: describe, held: true, samples, summary: unjudged.what }
  if (!('within' in expectation)) return { expectation: describe, held: !broken, samples, broken, summary }
  // a platform that is broken for good or never came up, and a harness that gave up, have no goal left to reach: something else says why
  const neverUp = observation.settledAt === undefined && !missing
  const cutShort = reachedAt === undefined && (neverUp || observation.broken() || observation.gaveUp)
  const late = observation.goals?.late(one)
  const held = (reachedAt !== undefined && !late) || cutShort
  const how = cutShort ? { cutShort, summary: 'not reached when the trial ended' } : { summary }
  return { expectation: describe, held, samples, broken: held ? undefined : (late ?? missing), ...how }
}

function invalidOf(spec: TrialSpec, observation: Observation, requests: RequestCounts): Invalid[] {
  const { scenario } = spec
  if (observation.settledAt === undefined && (scenario.load || scenario.timeline.length > 0))
    return [
      {
        code: 'NOT_SETTLED',
        what: `other workloads never came up, so nothing was tried: ${observation.unsettled().join(', ')}`,
        fix: 'Look at the verdicts on them, or leave them out.',
      },
    ]
  const invalid: Invalid[] = []
  if (observation.notANumber)
    invalid.push({
      code: 'NOT_A_NUMBER',
      what: observation.notANumber,
      fix: 'look at the workload and the SLOs it was given',
    })
  for (const what of scenario.blindTo?.includes('hook.exec') ? [] : observation.unmodelled)
    invalid.push({ code: 'UNMODELLED', what: `${what}: what it does is not known`, fix: 'Try it on a real cluster.' })
  if (observation.gaveUp)
    invalid.push({
      code: 'NOT_SETTLED',
      what: 'the rollout was still going on when the trial gave up waiting, and its deadline had not passed',
      fix: 'Lower progressDeadlineSeconds or minReadySeconds, so that it can be told from one that hangs.',
    })
  if (scenario.load && requests.ok === 0)
    invalid.push({
      code: 'NO_LOAD',
      what: requests.sent > 0 ? `none of ${requests.sent} requests was answered` : 'no request was sent',
      fix: 'Give the workload a rate above zero, and the server a Service that selects its pods and leads to its port.',
    })
  for (const { fault, describe, fold } of observation.faults) {
    if (fold.result().samples > 0) continue
    invalid.push({
      code: 'FAULT_INVISIBLE',
      what: `${describe}: no sign of it was seen (${fault})`,
      fix: 'check what the fault is aimed at',
    })
  }
  for (const { describe, fold } of observation.followed) {
    const { unjudged } = fold.result()
    if (unjudged) invalid.push({ code: 'NO_SAMPLES', ...unjudged })
    if (unjudged || hasSamples(fold.result())) continue
    invalid.push({
      code: 'NO_SAMPLES',
      what: `nothing to judge for «${describe}»`,
      fix: 'check that the platform has what it looks at',
    })
  }
  return invalid
}

const hasSamples = ({ samples }: CheckResult): boolean => Number.isFinite(samples) && samples > 0

const UNTRIED = { judged: [], simulatedUs: 0, requests: { sent: 0, ok: 0, failed: 0 }, journalHash: '' }

function countRequests(records: readonly JournalRecord[], target: string, sent: number | undefined): RequestCounts {
  const mine = records.filter((r) => r.type === 'request' && r.target === target) as (JournalRecord & {
    type: 'request'
  })[]
  const ok = mine.filter((r) => r.outcome === 'ok')
  const ttfts = ok.flatMap((r) => (r.ttftUs === undefined ? [] : [r.ttftUs])).sort((a, b) => a - b)
  const quantile = (p: number) => ttfts[Math.min(ttfts.length - 1, Math.ceil(p * ttfts.length) - 1)]
  return {
    sent: sent ?? mine.length,
    ok: ok.length,
    failed: mine.filter((r) => r.outcome !== 'ok' && r.outcome !== 'unfinished').length,
    ttftP50Us: quantile(0.5),
    ttftP99Us: quantile(0.99),
  }
}
