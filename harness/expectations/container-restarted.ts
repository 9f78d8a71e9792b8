import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { condition, isReady } from '../../sandbox/kube/pods.ts'
import { formatDuration, fromRfc3339 } from '../../sandbox/world/time.ts'
import { isOf } from '../subject.ts'
import { type Broken, check } from './check.ts'

interface Params {
  /** Only restarts by these probes. */
  by: ('liveness' | 'startup')[]
  /** Only restarts of a container whose pod was never Ready before. */
  beforeReady?: boolean
}

const KILLING = /^Container (\S+) failed (liveness|startup) probe, will be restarted$/

/** A container of the subject that a probe had killed. Looks at every container start. */
export const containerRestarted = check<Params>({
  name: 'containerRestarted',
  describe: ({ by, beforeReady }) =>
    `a container restarted by its ${by.join(' or ')} probe${beforeReady ? ' before its pod was first Ready' : ''}`,
  start({ by, beforeReady }, { subject, view }) {
    let starts = 0
    let broken: Broken | undefined
    const wasReady = new Set<string>()
    const unhealthy = new Map<string, string>()
    return {
      record(record, change) {
        if (change?.kind === Pod.id && change.after) {
          const pod = change.after as o.Pod
          if (!isOf(subject, pod)) return
          if (isReady(pod)) wasReady.add(pod.metadata.uid)
          const now = started(pod, subject.container)
          const before = change.before && started(change.before as o.Pod, subject.container)
          if (now !== undefined && now !== before) starts++
          return
        }
        if (record.type !== 'event' || record.kind !== 'Pod' || broken) return
        const pod = view.get(Pod, record.key)
        if (!pod || !isOf(subject, pod)) return
        if (record.reason === 'Unhealthy') unhealthy.set(record.key, record.message)
        const killed = record.reason === 'Killing' ? KILLING.exec(record.message) : null
        if (!killed || !by.includes(killed[2] as 'liveness' | 'startup')) return
        if (beforeReady && wasReady.has(pod.metadata.uid) && !statusOf(unhealthy.get(record.key))) return
        const probe = killed[2]!
        const since = started(pod, killed[1]!)
        const age = since === undefined ? undefined : record.at - fromRfc3339(since)
        broken = {
          at: record.at,
          cause: statusOf(unhealthy.get(record.key)) ? 'probe-answered-with-error' : `${probe}-probe-kills-loading`,
          container: killed[1]!,
          what: `${killed[1] === subject.container ? '' : `container ${killed[1]} of `}${pod.metadata.name} was killed by its ${probe} probe${age === undefined ? '' : ` after ${formatDuration(age)}`}${statusOf(unhealthy.get(record.key)) ? `: the server answers it with ${statusOf(unhealthy.get(record.key))}` : ', before it was Ready'}`,
          evidence: [
            ...(unhealthy.has(record.key)
              ? [{ at: record.at, about: `Pod ${record.key}`, text: unhealthy.get(record.key)! }]
              : []),
            { at: record.at, about: `Pod ${record.key}`, text: record.message },
            {
              at: record.at,
              about: `Pod ${record.key}`,
              text: `Ready: ${condition(pod, 'Ready')?.status ?? 'unknown'}, restarts so far: ${restarts(pod, killed[1]!)}`,
            },
          ],
        }
      },
      result: () => ({ samples: starts, broken, summary: `${starts} container starts, none killed by a probe` }),
    }
  },
})

const started = (pod: o.Pod, container: string): string | undefined =>
  pod.status.containerStatuses?.find((c) => c.name === container)?.state.running?.startedAt

const restarts = (pod: o.Pod, container: string): number =>
  pod.status.containerStatuses?.find((c) => c.name === container)?.restartCount ?? 0

/** The status with which a server answered a probe, when it did. */
const statusOf = (message: string | undefined): string | undefined => /statuscode: (\d+)/.exec(message ?? '')?.[1]
