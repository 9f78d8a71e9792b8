import { formatDuration, parseDuration, type Us } from '../../sandbox/world/time.ts'
import { saysOf } from '../scaling/autoscaler.ts'
import { phasesText, StartPhases } from '../scaling/start-phases.ts'
import { type Broken, type CheckContext, check } from './check.ts'

interface Params {
  /** So long after the first request. */
  readonly within: string
}

/** The first answer to a request begins, although no replica ran when the load came. Looks at every request that was sent. */
export const wokenFromZero = check<Params>({
  name: 'wokenFromZero',
  describe: () => 'an answer begins, although nothing ran when the first request came',
  start({ within }, context) {
    const { subject, view, openRequests } = context
    const starts = new StartPhases(subject, view)
    let firstSentAt: Us | undefined
    let firstTokenAt: Us | undefined
    let ended = 0
    return {
      record(record, change) {
        if (record.type === 'phase' && record.phase === 'timeline') starts.begin(record.at)
        starts.record(record, change)
        if (record.type !== 'request' || record.target !== subject.key) return
        ended++
        firstSentAt = Math.min(firstSentAt ?? record.intendedAt, record.intendedAt)
        const { ttftUs, intendedAt } = record
        if (ttftUs !== undefined) firstTokenAt = Math.min(firstTokenAt ?? Number.POSITIVE_INFINITY, intendedAt + ttftUs)
      },
      result() {
        let open = 0
        for (const request of openRequests()) {
          open++
          firstSentAt = Math.min(firstSentAt ?? request.intendedAt, request.intendedAt)
          if (firstTokenAt === undefined) firstTokenAt = request.firstTokenAt
        }
        const samples = ended + open
        if (firstSentAt === undefined) return { samples }
        const phases = phasesText(firstSentAt, starts.first())
        const sinceUs = firstSentAt
        if (firstTokenAt === undefined) return { samples, sinceUs, missing: asleep(context, starts, phases) }
        const late = firstTokenAt - firstSentAt > parseDuration(within)
        const waited = `first token ${formatDuration(firstTokenAt - firstSentAt)} after the first request`
        if (late) return { samples, sinceUs, missing: tooSlow(context, `${waited}, and not within ${within}`, phases) }
        return {
          samples,
          sinceUs,
          reachedAt: firstTokenAt,
          summary: starts.wanted > 0 && starts.fewest === 0 ? `${waited}: ${phases}` : waited,
        }
      },
    }
  },
})

/** Nothing was answered. */
function asleep(context: CheckContext, starts: StartPhases, phases: string): Broken {
  const { subject, view, now } = context
  const at = now()
  if (starts.wanted > 0) return tooSlow(context, 'no answer has begun', phases)
  return {
    at,
    cause: 'never-wakes',
    what: `requests came for ${formatDuration(at - starts.beganAt)} and no replica was ever asked for`,
    evidence: [{ at, about: `${subject.kind} ${subject.key}`, text: 'spec.replicas 0' }, ...saysOf(subject, view, at)],
  }
}

const tooSlow = ({ subject, view, now }: CheckContext, what: string, phases: string): Broken => ({
  at: now(),
  cause: 'cold-start-too-slow',
  what: `${what}: ${phases}`,
  evidence: [{ at: now(), about: `${subject.kind} ${subject.key}`, text: phases }, ...saysOf(subject, view, now())],
})
