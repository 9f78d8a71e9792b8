import type { JournalRecord } from '../../sandbox/journal/record.ts'
import { keyOf, ReplicaSet } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { condition, isActive } from '../../sandbox/kube/pods.ts'
import { formatDuration, fromRfc3339, seconds, type Us } from '../../sandbox/world/time.ts'
import { podName, podsOf } from '../subject.ts'
import { isComplete, isWorkloadKind, workloadOf } from '../workload-object.ts'
import { type Broken, type CheckContext, check, type Evidence } from './check.ts'

/** The subject's rollout is done: every replica is updated and available, and none of the old is left. Follows kubectl rollout status. */
export const rolloutComplete = check<Record<string, never>>({
  name: 'rolloutComplete',
  describe: () => 'the rollout is complete',
  start(_, context) {
    const { subject, view } = context
    let samples = 0
    let reachedAt: Us | undefined
    let lastAt: Us = 0
    const reasons = new Map<string, JournalRecord & { type: 'event' }>()
    const unreadiness = new Map<string, string>()
    const volumes = new Map<string, JournalRecord & { type: 'event' }>()
    return {
      record(record, change) {
        lastAt = record.at
        if (record.type === 'event' && record.reason === 'FailedScheduling') reasons.set(record.key, record)
        if (record.type === 'event' && (record.reason === 'FailedAttachVolume' || record.reason === 'FailedMount'))
          volumes.set(record.key, record)
        if (record.type === 'event' && record.reason === 'Unhealthy' && record.message.startsWith('Readiness'))
          unreadiness.set(record.key, record.message)
        if (!change || !isWorkloadKind(change.kind) || change.key !== subject.key) return
        const workload = workloadOf(subject, view)
        if (!workload) return
        samples++
        if (!isComplete(workload)) reachedAt = undefined
        else reachedAt ??= record.at
      },
      result: () => ({
        samples,
        reachedAt,
        missing:
          reachedAt === undefined
            ? obstacle(context, { scheduling: reasons, unreadiness, volumes }, lastAt)
            : undefined,
        summary: reachedAt === undefined ? undefined : `complete at ${formatDuration(reachedAt)}`,
      }),
    }
  },
})

/** What events said last, by pod. */
interface Said {
  readonly scheduling: ReadonlyMap<string, JournalRecord & { type: 'event' }>
  readonly unreadiness: ReadonlyMap<string, string>
  readonly volumes: ReadonlyMap<string, JournalRecord & { type: 'event' }>
}

/** Why it is not complete: the pod that waits, and what it waits for. */
function obstacle(context: CheckContext, said: Said, now: Us): Broken {
  const { subject, view } = context
  const pods = podsOf(subject, view).filter(isActive)
  const workload = workloadOf(subject, view)
  const progress = workload && condition(workload, 'Progressing')
  const conditions: Evidence[] = progress
    ? [
        {
          at: now,
          about: `${subject.kind} ${subject.key}`,
          text: `Progressing=${progress.status} ${progress.reason}: ${progress.message}`,
        },
      ]
    : []
  const loading = pods.find((pod) => condition(pod, 'Ready')?.status !== 'True' && isRunning(pod, subject.container))
  const answer = loading && /statuscode: (\d+)/.exec(said.unreadiness.get(keyOf(loading)) ?? '')?.[1]
  if (loading && answer)
    return {
      at: now,
      cause: 'probe-answered-with-error',
      what: `${loading.metadata.name} is not Ready: the server answers its readiness probe with ${answer}`,
      evidence: [{ at: now, about: podName(loading), text: said.unreadiness.get(keyOf(loading))! }, ...conditions],
    }
  const unheard = loading && isStarted(loading, subject.container) ? said.unreadiness.get(keyOf(loading)) : undefined
  if (loading && unheard?.includes('connection refused'))
    return {
      at: now,
      cause: 'probe-finds-nobody',
      what: `${loading.metadata.name} is not Ready: nobody listens where its readiness probe asks, though the server has started`,
      evidence: [{ at: now, about: podName(loading), text: unheard }, ...conditions],
    }
  if (loading && restartsOf(loading, subject.container) === 0 && progress?.reason === 'ProgressDeadlineExceeded')
    return {
      at: now,
      cause: 'progress-deadline-too-short',
      what: `${subject.name} is reported as failed while ${loading.metadata.name} is still starting`,
      evidence: [
        { at: now, about: podName(loading), text: condition(loading, 'Ready')?.message ?? 'not Ready' },
        ...conditions,
      ],
    }
  const pending = pods.find((pod) => condition(pod, 'PodScheduled')?.status === 'False')
  if (pending) return waiting(context, pending, said.scheduling, conditions)
  const unseen = pods.find(
    (pod) =>
      !pod.spec.nodeName &&
      !condition(pod, 'PodScheduled') &&
      now - fromRfc3339(pod.metadata.creationTimestamp) > SEEN_WITHIN,
  )
  if (unseen) return withoutScheduler(context, unseen, conditions)
  const mounting = pods.find((pod) => said.volumes.has(keyOf(pod)) && isUnstarted(pod))
  return mounting
    ? withoutVolume(context, mounting, said.volumes.get(keyOf(mounting))!, conditions)
    : unready(context, pods, conditions, now)
}

/** A scheduler looks at a new pod within this, however much it has to do. */
const SEEN_WITHIN: Us = seconds(30)

/** A scheduler leaves a condition on every pod it has looked at. */
function withoutScheduler({ subject }: CheckContext, pod: o.Pod, conditions: readonly Evidence[]): Broken {
  const at = fromRfc3339(pod.metadata.creationTimestamp)
  const { schedulerName = 'default-scheduler' } = pod.spec
  return {
    at,
    cause: 'pod-without-scheduler',
    what: `${subject.name} is not rolled out: ${pod.metadata.name} Pending since ${formatDuration(at)}, and no scheduler has looked at it`,
    evidence: [{ at, about: podName(pod), text: `spec.schedulerName: ${schedulerName}` }, ...conditions],
  }
}

/** No container of it has ever run, those that prepare it included. */
const isUnstarted = ({ status }: o.Pod): boolean =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].every(
    ({ state }) => state.waiting !== undefined,
  )

function withoutVolume(
  { subject }: CheckContext,
  pod: o.Pod,
  event: JournalRecord & { type: 'event' },
  conditions: readonly Evidence[],
): Broken {
  return {
    at: event.at,
    cause: 'volume-not-attached',
    what: `${subject.name} is not rolled out: ${pod.metadata.name} waits for its volume since ${formatDuration(event.at)}`,
    evidence: [{ at: event.at, about: podName(pod), text: `${event.reason}: ${event.message}` }, ...conditions],
  }
}

const restartsOf = (pod: o.Pod, container: string): number =>
  pod.status.containerStatuses?.find((c) => c.name === container)?.restartCount ?? 0

const isRunning = (pod: o.Pod, container: string): boolean =>
  pod.status.containerStatuses?.find((c) => c.name === container)?.state.running !== undefined

/** Its startup probe has succeeded: the server is up, wherever it listens. */
const isStarted = (pod: o.Pod, container: string): boolean =>
  pod.spec.containers.find(({ name }) => name === container)?.startupProbe !== undefined &&
  pod.status.containerStatuses?.find(({ name }) => name === container)?.started === true

/** A pod that no node takes: at the first deployment, or in the rollout. */
function waiting(
  { subject, phase }: CheckContext,
  pending: o.Pod,
  reasons: ReadonlyMap<string, JournalRecord & { type: 'event' }>,
  conditions: readonly Evidence[],
): Broken {
  const message = condition(pending, 'PodScheduled')?.message ?? ''
  const created = fromRfc3339(pending.metadata.creationTimestamp)
  const saidAt = reasons.get(`${pending.metadata.namespace}/${pending.metadata.name}`)?.at ?? created
  const at = Math.min(saidAt, created)
  const first = phase() === 'settle'
  const sort = /Insufficient/.test(message) ? 'does-not-fit' : 'unschedulable'
  return {
    at,
    cause: `${first ? '' : 'rollout-'}pod-${sort}`,
    what: `${subject.name} never ${first ? 'came up' : 'finished its rollout'}: ${pending.metadata.name} Pending since ${formatDuration(at)}`,
    evidence: [{ at: saidAt, about: podName(pending), text: message }, ...conditions],
  }
}

function unready(
  { subject, view }: CheckContext,
  pods: readonly o.Pod[],
  conditions: readonly Evidence[],
  now: Us,
): Broken {
  const pod = pods.find((one) => condition(one, 'Ready')?.status !== 'True')
  const state = pod?.status.containerStatuses?.find((c) => c.state.waiting)?.state.waiting
  const failure = view
    .list(ReplicaSet)
    .map((rs) => condition(rs, 'ReplicaFailure'))
    .find((c) => c !== undefined)
  const why = pod
    ? `${pod.metadata.name} is not Ready${state ? ` (${state.reason})` : ''}${restartsText(pod, subject.container)}`
    : (failure?.message ?? 'too few pods')
  return {
    at: now,
    cause: /Image/.test(state?.reason ?? '') ? 'image-not-pulled' : 'rollout-not-complete',
    what: `${subject.name} is not rolled out: ${why}`,
    evidence: [
      ...(pod
        ? [{ at: now, about: podName(pod), text: state?.message ?? condition(pod, 'Ready')?.message ?? 'not Ready' }]
        : []),
      ...conditions,
    ],
  }
}

function restartsText(pod: o.Pod, container: string): string {
  const restarts = restartsOf(pod, container)
  return restarts === 0 ? '' : `, restarted ${restarts} times (liveness-kills-loading says by whom)`
}
