import type { RequestRecord } from '../../sandbox/journal/record.ts'
import { formatDuration } from '../../sandbox/world/time.ts'
import { phasesText, StartPhases } from '../scaling/start-phases.ts'
import { check, type Evidence } from './check.ts'

/** Requests that came while no replica was Ready and were never answered, over all attempts of their clients. Looks at every request that ended. */
export const lostAtZero = check<Record<string, never>>({
  name: 'lostAtZero',
  describe: () => 'a request lost because nothing ran when it came',
  start(_, { subject, view, phase }) {
    const starts = new StartPhases(subject, view)
    const ended: RequestRecord[] = []
    return {
      record(record, change) {
        if (record.type === 'phase' && record.phase === 'timeline') starts.begin(record.at)
        starts.record(record, change)
        if (record.type === 'request' && record.target === subject.key) ended.push(record)
      },
      result() {
        const samples = ended.length
        const start = starts.first()
        const { readyAt } = start
        // where nothing ever came there is more to say than that
        if (phase() !== 'judge' || readyAt === undefined || starts.fewest > 0) return { samples }
        const early = ended.filter(({ intendedAt }) => intendedAt < readyAt)
        const lost = early.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'unfinished')
        const first = lost[0]
        const phases = phasesText(starts.beganAt, start)
        if (!first)
          return { samples, summary: `${early.length} requests came before the first replica was Ready, none lost` }
        return {
          samples,
          broken: {
            at: first.at,
            cause: 'requests-lost-at-zero',
            what: `${lost.length} of ${early.length} requests were lost that came before the first replica was Ready, ${formatDuration(readyAt - starts.beganAt)} after the first of them`,
            evidence: [
              ...lost.slice(0, 3).map(
                ({ at, id, outcome, attempts = 1, intendedAt }): Evidence => ({
                  at,
                  about: `request ${id}`,
                  text: `${WORDS[outcome] ?? outcome}, sent ${attempts === 1 ? 'once' : `${attempts} times within ${formatDuration(at - intendedAt)}`}`,
                }),
              ),
              { at: readyAt, about: `${subject.kind} ${subject.key}`, text: phases },
            ],
          },
        }
      },
    }
  },
})

const WORDS: Partial<Record<RequestRecord['outcome'], string>> = {
  'no-endpoints': 'refused: the Service has no endpoint',
  refused: 'refused',
  timeout: 'not answered before its client gave up',
  http: 'answered with an error',
  reset: 'cut',
}
