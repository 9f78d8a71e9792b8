import { formatDuration } from '../../sandbox/world/time.ts'
import { recordsIn, windowEvidence, windowText } from '../slo/evidence.ts'
import { attainmentText, Following, type SloParams, whoText } from '../slo/follow.ts'
import { type Broken, type CheckContext, check } from './check.ts'

/**
 * The promises to clients hold again after the last fault and the last step of the load, and go on to. Reached at the end of the first whole
 * window from then on after which none is broken. Looks at the requests that say something about each.
 */
export const sloRecovered = check<SloParams>({
  name: 'sloRecovered',
  describe: (params) =>
    `${params.objective === 'all' ? 'every SLO is' : `the ${params.objective} SLO is`} met again${whoText(params)}, for ${params.window ?? '1m'} and on`,
  start(params, context) {
    const following = new Following(params, context)
    let faultAt = 0
    return {
      record(record) {
        following.begin(record)
        if (record.type === 'fault') faultAt = record.at
        else if (record.type === 'request' && record.target === context.subject.key) following.add(record)
      },
      result() {
        const sinceUs = Math.max(faultAt, context.loadSteadyAt() ?? 0)
        const moment = following.moment()
        const found = following.attainments.map((attainment) => attainment.recovered(sinceUs, moment))
        const samples = following.samples()
        if (found.length === 0) return { samples }
        if (found.some((window) => window === undefined))
          return { samples, sinceUs, missing: stillBroken(following, sinceUs, context) }
        const from = Math.max(...found.map((window) => window!.fromUs))
        return {
          samples,
          sinceUs,
          reachedAt: Math.max(...found.map((window) => window!.untilUs)),
          summary: `met from ${formatDuration(from)} on: ${following.attainments.map(attainmentText).join(', ')}`,
        }
      },
    }
  },
})

/** The objective that is not met again, by its last window's worst. */
function stillBroken(following: Following, sinceUs: number, { now }: CheckContext): Broken {
  const moment = following.moment()
  const [first] = following.attainments.filter((attainment) => !attainment.recovered(sinceUs, moment))
  const judgement = first!.lastBroken(sinceUs, moment)
  const about = attainmentText(first!)
  if (!judgement)
    return {
      at: now(),
      cause: 'slo-not-shown',
      what: `${about}: too few requests, or too little time, to say that it is met again`,
      evidence: [{ at: now(), about, text: `${first!.samples} requests say something about it` }],
    }
  const records = recordsIn(following.records, judgement).filter((record) => first!.takes(record))
  return {
    at: now(),
    cause: `slo-${first!.objective.kind}`,
    what: `${about} is not met again: ${windowText(first!.objective, judgement, records)}`,
    evidence: windowEvidence(first!.objective, judgement, records),
  }
}
