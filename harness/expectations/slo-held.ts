import type { Attainment, Judgement, Moment } from '../slo/attainment.ts'
import { recordsIn, windowEvidence, windowText } from '../slo/evidence.ts'
import { attainmentText, Following, type SloParams, whoText } from '../slo/follow.ts'
import { type Broken, type CheckResult, check } from './check.ts'

/**
 * The promises to clients hold in every sliding window, by when requests were meant to be sent. Looks at the requests that say something about
 * each; those under way count as soon as they are late.
 */
export const sloHeld = check<SloParams>({
  name: 'sloHeld',
  describe: (params) =>
    `${params.objective === 'all' ? 'every SLO' : `the ${params.objective} SLO`}${whoText(params)} in every window of ${params.window ?? '1m'}${params.afterFault ? `, from ${params.afterFault} after the fault on` : ''}${params.leaveOut ? `, leaving out ${params.leaveOut.join(' and ')}` : ''}`,
  start(params, context) {
    const { subject, phase } = context
    const following = new Following(params, context)
    let lookedAt = -1
    let result: CheckResult = { samples: 0 }
    return {
      record(record) {
        following.begin(record)
        if (record.type === 'request' && record.target === subject.key) following.add(record)
      },
      result() {
        const { attainments } = following
        if (attainments.length === 0) return { samples: 0 }
        // windows end one by one: between two ends nothing new can be said
        const step = Math.floor(context.now() / Math.min(...attainments.map(({ stepUs }) => stepUs)))
        if (step === lookedAt && phase() !== 'judge') return result
        lookedAt = step
        result = judged(following, phase() === 'judge')
        return result
      },
    }
  },
})

function judged(following: Following, final: boolean): CheckResult {
  const { attainments } = following
  const moment = following.moment()
  const found = attainments.flatMap((attainment) => {
    const judgement = attainment.firstBroken(moment)
    return judgement ? [{ attainment, judgement }] : []
  })
  const first = found.sort((a, b) => a.judgement.window.untilUs - b.judgement.window.untilUs)[0]
  const worst = attainments.map((attainment) => ({ attainment, judgement: attainment.worst(moment) }))
  if (first)
    return {
      samples: Math.max(1, following.samples()),
      broken: brokenOf(following, first.attainment, first.judgement),
      provisional: !isSettled(first.judgement, moment),
    }
  // an objective with too few requests in all has not been judged
  const unjudged = worst.find(({ attainment, judgement }) => !judgement && !isEnough(attainment, moment))
  if (unjudged)
    return {
      samples: 0,
      summary: `${attainmentText(unjudged.attainment)}: too few requests (${unjudged.attainment.samples})`,
    }
  if (!final) return { samples: following.samples() }
  return {
    samples: following.samples(),
    summary: worst
      .map(({ attainment, judgement }) =>
        judgement
          ? worstText(following, attainment, judgement)
          : `${attainmentText(attainment)}: none of ${attainment.samples} requests was bad`,
      )
      .join('; '),
  }
}

/** An objective that nobody gave is not asked for more requests than there are, where none was bad. */
const isEnough = (attainment: Attainment, moment: Moment): boolean =>
  attainment.objective.origin === 'assumed' && attainment.flawless(moment)

/** Nothing that is still to come can mend the window. */
const isSettled = ({ window }: Judgement, { now, open }: Moment): boolean =>
  window.untilUs <= now &&
  [...open].every(({ intendedAt }) => intendedAt < window.fromUs || intendedAt >= window.untilUs)

function brokenOf(following: Following, attainment: Attainment, judgement: Judgement): Broken {
  const { objective, tenant } = attainment
  const records = recordsIn(following.records, judgement).filter((record) => attainment.takes(record))
  return {
    at: judgement.window.untilUs,
    cause: `slo-${objective.kind}`,
    what: `${tenant === undefined ? '' : `${tenant}: `}${windowText(objective, judgement, records)}`,
    evidence: windowEvidence(objective, judgement, records),
  }
}

const worstText = (following: Following, attainment: Attainment, judgement: Judgement): string =>
  `${attainmentText(attainment)}: at worst ${windowText(
    attainment.objective,
    judgement,
    recordsIn(following.records, judgement).filter((record) => attainment.takes(record)),
  )}`
