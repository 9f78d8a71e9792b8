import type { RequestRecord } from '../../sandbox/journal/record.ts'
import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { formatDuration, seconds, type Us } from '../../sandbox/world/time.ts'
import { canaryTarget } from '../load/canaries.ts'
import { isOf } from '../subject.ts'
import { type Broken, check, type Evidence } from './check.ts'

/** So long after DELETE a connection that no pod took is put down to it. */
const STALE: Us = seconds(60)
/** What ends later than this after it was sent was taken on, and cut. */
const AT_ONCE: Us = seconds(1)
const LOST: readonly RequestRecord['outcome'][] = ['refused', 'reset', 'truncated', 'http']

/**
 * Requests, canaries among them, that met a pod which had stopped taking any because it was deleted: it stopped before every proxy had heard. Looks at
 * every request sent after a DELETE.
 */
export const deletedPodRefuses = check<Record<string, never>>({
  name: 'deletedPodRefuses',
  describe: () => 'a request that a pod does not answer because it was deleted before',
  start(_, { subject }) {
    const targets = [subject.key, canaryTarget(subject.key)]
    const deletedAt = new Map<string, Us>()
    const lost: RequestRecord[] = []
    let lastDeleteAt: Us | undefined
    let samples = 0
    const isLost = (record: RequestRecord): boolean => {
      if (!LOST.includes(record.outcome)) return false
      if (record.pod === undefined) return record.outcome === 'refused' && record.intendedAt - lastDeleteAt! < STALE
      const since = deletedAt.get(record.pod)
      return since !== undefined && record.intendedAt > since && record.at - record.intendedAt < AT_ONCE
    }
    return {
      record(record, change) {
        if (record.type === 'request' && targets.includes(record.target) && lastDeleteAt !== undefined) {
          if (record.intendedAt > lastDeleteAt) samples++
          if (isLost(record)) lost.push(record)
        }
        if (change?.kind !== Pod.id || !change.after) return
        const { metadata } = change.after
        if (!metadata.deletionTimestamp || change.before?.metadata.deletionTimestamp) return
        if (!isOf(subject, change.after as o.Pod)) return
        deletedAt.set(change.key, record.at)
        lastDeleteAt = record.at
      },
      result: () => ({
        samples,
        broken: lost.length > 0 ? brokenOf(lost, deletedAt) : undefined,
        // more of them only make it clearer, and what else goes wrong is to be seen too
        provisional: true,
        summary:
          lost.length > 0
            ? undefined
            : `${samples} requests after a DELETE, canaries among them, none lost on a pod that was going`,
      }),
    }
  },
})

function brokenOf(lost: readonly RequestRecord[], deletedAt: ReadonlyMap<string, Us>): Broken {
  const after = (record: RequestRecord) => record.intendedAt - (deletedAt.get(record.pod ?? '') ?? record.intendedAt)
  const latest = Math.max(...lost.map(after))
  return {
    at: lost[0]!.at,
    cause: 'requests-lost-after-delete',
    what: `requests were still sent to a deleted pod ${formatDuration(latest)} after its DELETE, when it took none any more: ${lost.length} lost`,
    neededUs: latest,
    evidence: lost.slice(0, 3).map(
      (record): Evidence => ({
        at: record.at,
        about: `request ${record.id}${record.pod ? ` on ${record.pod}` : ''}`,
        text: `sent ${formatDuration(after(record))} after DELETE: ${record.outcome === 'truncated' ? 'ended at once under HTTP 200' : record.outcome}${record.status ? ` (${record.status})` : ''}`,
      }),
    ),
  }
}
