import type { RequestRecord } from '../../sandbox/journal/record.ts'
import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { formatDuration, seconds, type Us } from '../../sandbox/world/time.ts'
import { latencyOf } from '../slo/grade.ts'
import { isOf } from '../subject.ts'
import { type Broken, check, type Evidence } from './check.ts'

/** A stream on a pod that was deleted. */
interface UnderWay {
  readonly id: string
  readonly pod: o.Pod
  readonly deletedAt: Us
  readonly intendedAt: Us
  readonly firstTokenAt: Us | undefined
  /** Tokens its answer was going to have. */
  readonly outputTokens: number
}

interface Ended extends UnderWay {
  readonly record: RequestRecord
}

/** So long before the end of the grace period nothing is put down to it. */
const NEAR: Us = seconds(2)
/** What ends sooner after it was sent was never taken on. */
const AT_ONCE: Us = seconds(1)

/**
 * Answers under way on a deleted pod that did not come to their end. Of the longest that clients get, one in a hundred may be cut: those
 * that would have taken longer than 99 % of the whole answers of the trial. Looks at every answer that was under way.
 */
export const streamsCut = check<Record<string, never>>({
  name: 'streamsCut',
  describe: () => 'a stream cut because its pod was deleted',
  start(_, { subject, phase, openRequests }) {
    const underWay = new Map<string, UnderWay>()
    const deleted = new Map<string, { pod: o.Pod; at: Us }>()
    const ended: Ended[] = []
    const whole: RequestRecord[] = []
    const logs = new Map<string, Evidence>()
    return {
      record(record, change) {
        if (record.type === 'request' && record.target === subject.key) {
          const stream = underWay.get(record.id)
          const since = record.pod === undefined ? undefined : deleted.get(record.pod)
          if (stream) ended.push({ ...stream, record })
          else if (since && cutLater(record, since.at))
            ended.push({ ...record, firstTokenAt: undefined, pod: since.pod, deletedAt: since.at, record })
          underWay.delete(record.id)
          if (record.outcome === 'ok') whole.push(record)
        } else if (record.type === 'log' && record.line.includes('[shutdown] API server: shutdown triggered'))
          logs.set(record.pod, { at: record.at, about: `Pod ${record.pod} log`, text: record.line })
        if (change?.kind !== Pod.id || !change.after) return
        const pod = change.after as o.Pod
        if (!pod.metadata.deletionTimestamp || change.before?.metadata.deletionTimestamp || !isOf(subject, pod)) return
        deleted.set(change.key, { pod, at: record.at })
        for (const { id, pod: on, intendedAt, firstTokenAt, outputTokens } of openRequests())
          if (on === change.key)
            underWay.set(id, { id, pod, deletedAt: record.at, intendedAt, firstTokenAt, outputTokens })
      },
      result() {
        const samples = underWay.size + ended.length
        // how long answers are is known at the end
        if (phase() !== 'judge') return { samples }
        const usual = usualOf(whole)
        const cut = ended.filter((stream) => isCut(stream) && lengthOf(stream, usual) <= usual.longestUs)
        if (cut.length === 0) return { samples, summary: summaryOf(ended, usual) }
        return { samples, broken: brokenOf(cut, { samples, usual, logs }) }
      },
    }
  },
})

/** How answers of the trial usually went. */
interface Usual {
  readonly ttftUs: Us
  readonly tpotUs: Us
  /** What 99 % of the whole answers took at most. */
  readonly longestUs: Us
}

function usualOf(whole: readonly RequestRecord[]): Usual {
  const quantile = (latency: 'ttft' | 'tpot' | 'e2e', p: number): Us => {
    const values = Float64Array.from(whole.flatMap((record) => latencyOf(record, latency) ?? [])).sort()
    return values[Math.max(0, Math.ceil(p * values.length) - 1)] ?? 0
  }
  return { ttftUs: quantile('ttft', 0.5), tpotUs: quantile('tpot', 0.5), longestUs: quantile('e2e', 0.99) }
}

/** How long the whole answer would have taken. */
const lengthOf = ({ intendedAt, firstTokenAt, outputTokens }: UnderWay, { ttftUs, tpotUs }: Usual): Us =>
  (firstTokenAt === undefined ? ttftUs : firstTokenAt - intendedAt) + tpotUs * Math.max(0, outputTokens - 1)

/** Taken on after DELETE and cut: of what it would have had, only what came is known. */
const cutLater = ({ outcome, intendedAt, at }: RequestRecord, deletedAt: Us): boolean =>
  intendedAt > deletedAt && (outcome === 'truncated' || outcome === 'reset') && at - intendedAt >= AT_ONCE

const isCut = ({ record }: Ended): boolean => ['truncated', 'reset', 'http', 'timeout'].includes(record.outcome)

const graceOf = ({ pod }: UnderWay): Us => seconds(pod.metadata.deletionGracePeriodSeconds ?? 0)

function brokenOf(
  cut: readonly Ended[],
  { samples, usual, logs }: { samples: number; usual: Usual; logs: ReadonlyMap<string, Evidence> },
): Broken {
  const first = cut[0]!
  const { record, deletedAt, pod } = first
  const after = record.at - deletedAt
  const outlived = after >= graceOf(first) - NEAR
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`
  const log = logs.get(key)
  return {
    at: record.at,
    cause: outlived ? 'streams-outlive-grace' : 'streams-cut-at-sigterm',
    what: `${cut.length} of ${samples} streams under way on deleted pods were cut, the first ${formatDuration(after)} after DELETE; 99 % of whole answers take ${formatDuration(usual.longestUs)} at most`,
    neededUs: usual.longestUs,
    evidence: [
      { at: deletedAt, about: `Pod ${key}`, text: `deleted with a grace period of ${formatDuration(graceOf(first))}` },
      ...(log ? [log] : []),
      ...cut.slice(0, 3).map(
        (stream): Evidence => ({
          at: stream.record.at,
          about: `request ${stream.id} on ${stream.record.pod}`,
          text: `${WORDS[stream.record.outcome] ?? stream.record.outcome} ${formatDuration(stream.record.at - stream.intendedAt)} into ${answerText(stream, usual)}`,
        }),
      ),
    ],
  }
}

/** Of one that came after DELETE only the beginning is known. */
const answerText = (stream: Ended, usual: Usual): string =>
  stream.intendedAt > stream.deletedAt
    ? 'its answer, asked for after DELETE'
    : `an answer of about ${formatDuration(lengthOf(stream, usual))} (${stream.outputTokens} tokens)`

const WORDS: Partial<Record<RequestRecord['outcome'], string>> = {
  truncated: 'ended early under HTTP 200',
  reset: 'connection reset',
  http: 'answered with an error',
  timeout: 'nothing more came until the client timed out',
}

function summaryOf(ended: readonly Ended[], usual: Usual): string {
  const whole = ended.filter(({ record }) => record.outcome === 'ok')
  const last = whole.toSorted((a, b) => b.record.at - b.deletedAt - (a.record.at - a.deletedAt))[0]
  const pods = new Set(ended.map(({ pod }) => pod.metadata.uid)).size
  if (!last) return `${ended.length} streams under way on ${pods} deleted pods`
  return `${ended.length} streams under way on ${pods} deleted pods; the last ended ${formatDuration(last.record.at - last.deletedAt)} after DELETE, of ${formatDuration(graceOf(last))} of grace (99 % of whole answers take ${formatDuration(usual.longestUs)} at most)`
}
