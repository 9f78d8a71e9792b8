import type { RequestRecord } from '../../../sandbox/journal/record.ts'
import type { Us } from '../../../sandbox/world/time.ts'
import { objectiveText, type Slos, samplesNeeded } from '../../slo/objective.ts'
import { judgeWhole, type WholeJudgement } from '../../slo/whole.ts'
import type { LoadRecord } from '../http/sender.ts'
import { LOCAL_MARK } from '../http/sending.ts'
import { isReal, type LoadSummary } from './summary.ts'

/** Why what was measured says nothing about the server, and what to do. */
export interface Doubt {
  readonly code: string
  readonly what: string
  readonly fix: string
}

export interface LoadVerdict {
  readonly outcome: 'PASS' | 'FAIL' | 'INVALID'
  readonly objectives: readonly WholeJudgement[]
  /** Why it is INVALID. */
  readonly doubts: readonly Doubt[]
}

/** What the sender noticed of itself. */
export interface SenderHealth {
  /** The 99th percentile of how late its event loop was; undefined where it has none of ours. */
  readonly loopDelayP99Us: Us | undefined
  /** Sockets it may have had at once. */
  readonly maxOpen: number
}

/** Share of the intended rate that must have been sent. */
const RATE_NEEDED = 0.99

/** An SLO that is broken is FAIL; a load that was not as planned, or too few requests to judge by, is INVALID whatever they say. */
export function judgeLoad(
  records: readonly (RequestRecord | LoadRecord)[],
  summary: LoadSummary,
  options: { readonly slos: Slos; readonly health: SenderHealth; readonly maxDelayUs: Us },
): LoadVerdict {
  const objectives = options.slos.map((objective) => judgeWhole(objective, records))
  const doubts = [...senderDoubts(records, summary, options), ...sampleDoubts(summary, objectives)]
  const broken = objectives.some(({ verdict }) => verdict === 'broken')
  return { outcome: doubts.length > 0 ? 'INVALID' : broken ? 'FAIL' : 'PASS', objectives, doubts }
}

const msText = (us: Us): string => `${(us / 1e3).toFixed(us < 10e3 ? 1 : 0)} ms`

function senderDoubts(
  records: readonly (RequestRecord | LoadRecord)[],
  { intendedPerSecond, sentPerSecond, delay }: LoadSummary,
  { health, maxDelayUs }: { readonly health: SenderHealth; readonly maxDelayUs: Us },
): Doubt[] {
  const doubts: Doubt[] = []
  const slower = 'Send less from here (--rate), send from a machine with less to do, or from several.'
  const local = records.find((one) => isReal(one) && one.why?.startsWith(LOCAL_MARK)) as LoadRecord | undefined
  if (local)
    doubts.push({
      code: 'NO_SOCKETS',
      what: `this machine had no room for more sockets (${local.why!.slice(LOCAL_MARK.length)})`,
      fix: 'Raise the limit of open files (ulimit -n), lower --max-open, or send less (--rate).',
    })
  if (sentPerSecond < RATE_NEEDED * intendedPerSecond)
    doubts.push({
      code: 'RATE_MISSED',
      what: `${sentPerSecond.toFixed(2)} requests a second were sent, of ${intendedPerSecond.toFixed(2)} intended: less than ${RATE_NEEDED * 100} %`,
      fix: `${slower} With --max-open ${health.maxOpen} no more than so many are under way at once.`,
    })
  if (delay && delay.p99Us > maxDelayUs)
    doubts.push({
      code: 'SENT_LATE',
      what: `requests left up to ${msText(delay.p99Us)} late (p99; at most ${msText(maxDelayUs)} is taken for the server's)`,
      fix: `${slower} --max-delay takes more.`,
    })
  if (health.loopDelayP99Us !== undefined && health.loopDelayP99Us > maxDelayUs)
    doubts.push({
      code: 'SENDER_BUSY',
      what: `the sender's own event loop was ${msText(health.loopDelayP99Us)} late (p99): times of answers are no better than that`,
      fix: `${slower} --max-delay takes more.`,
    })
  return doubts
}

function sampleDoubts({ planned }: LoadSummary, objectives: readonly WholeJudgement[]): Doubt[] {
  if (planned === 0)
    return [
      {
        code: 'NO_REQUESTS',
        what: 'no request was meant to be sent',
        fix: 'Make the load longer (--duration) or denser (--rate).',
      },
    ]
  const few = objectives.filter(({ verdict, objective }) => verdict === 'too-few' && objective.origin !== 'assumed')
  if (few.length === 0) return []
  return [
    {
      code: 'TOO_FEW',
      what: `too few requests to judge ${few.map(({ objective }) => objectiveText(objective)).join(', ')}: ${Math.min(...few.map(({ judged }) => judged))}`,
      fix: `Make the load longer (--duration) or denser (--rate): ${Math.max(...few.map(({ objective }) => samplesNeeded(objective)))} requests say enough.`,
    },
  ]
}
