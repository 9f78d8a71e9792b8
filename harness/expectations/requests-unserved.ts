import type { RequestRecord } from '../../sandbox/journal/record.ts'
import { formatDuration } from '../../sandbox/world/time.ts'
import { type Broken, check, type Evidence } from './check.ts'

interface Params {
  /** Outcomes that count. */
  outcomes: RequestRecord['outcome'][]
  /** How many of a thousand requests may end so. */
  perMille?: number
  /** Only those that a gateway on the way ended, not the server. */
  onTheWay?: boolean
}

const WORDS: Record<RequestRecord['outcome'], string> = {
  ok: 'succeeded',
  truncated: 'were cut short',
  refused: 'were refused',
  reset: 'were reset',
  http: 'got an error status',
  timeout: 'timed out',
  'no-endpoints': 'found no Ready replica behind the Service',
  unfinished: 'were not answered by the end',
}

/** Requests that ended in one of the given ways. Looks at every request that ended. */
export const requestsUnserved = check<Params>({
  name: 'requestsUnserved',
  describe: ({ outcomes, perMille = 0, onTheWay }) =>
    `${perMille > 0 ? `more than ${perMille / 10} % of ` : ''}requests that ${outcomes.map((o) => WORDS[o]).join(' or ')}${onTheWay ? ' by a gateway on the way' : ''}`,
  start({ outcomes, perMille = 0, onTheWay = false }, { subject }) {
    let samples = 0
    const hit: RequestRecord[] = []
    return {
      record(record) {
        if (record.type !== 'request' || record.target !== subject.key) return
        samples++
        if (outcomes.includes(record.outcome) && (!onTheWay || record.endedBy !== undefined)) hit.push(record)
      },
      result() {
        const over = hit.length * 1000 > perMille * samples
        return {
          samples,
          broken: over ? broken(hit, samples) : undefined,
          provisional: perMille > 0,
          summary: summary(samples, hit.length),
        }
      },
    }
  },
})

function broken(hit: readonly RequestRecord[], samples: number): Broken {
  const first = hit[0]!
  const last = hit.at(-1)!
  return {
    at: first.at,
    cause: `requests-${first.outcome}`,
    what: `${hit.length} of ${samples} requests ${WORDS[first.outcome]}, from ${formatDuration(first.intendedAt)} to ${formatDuration(last.intendedAt)}`,
    evidence: hit.slice(0, 3).map(
      (r): Evidence => ({
        at: r.at,
        about: `request ${r.id}${r.pod ? ` on ${r.pod}` : ''}`,
        text: `${WORDS[r.outcome].replace(/^(were|found|got)/, (w) => (w === 'were' ? 'was' : w))}${r.status ? ` (${r.status})` : ''}${r.endedBy ? ` by ${r.endedBy}` : ''}`,
      }),
    ),
  }
}

const summary = (samples: number, hit: number): string => `${samples} requests, ${hit === 0 ? 'none' : hit} unserved`
