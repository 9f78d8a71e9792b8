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
    /** Why the Deployment was reported as failed; what comes of it later does not undo that. */
    let givenUp: Broken | undefined
    const reasons = new Map<string, JournalRecord & { type: 'event' }>()
    const refusals = new Map<string, JournalRecord & { type: 'event' }>()
    const unreadiness = new Map<string, string>()
    const errors = new Map<string, string>()
    const volumes = new Map<string, JournalRecord & { type: 'event' }>()
    const said: Said = { scheduling: reasons, refusals, unreadiness, errors, volumes }
    return {
      record(record, change) {
        lastAt = record.at
        if (record.type === 'event' && record.reason === 'FailedScheduling')
          (record.by === 'karpenter' ? refusals : reasons).set(record.key, record)
        if (record.type === 'event' && (record.reason === 'FailedAttachVolume' || record.reason === 'FailedMount'))
          volumes.set(record.key, record)
        if (record.type === 'event' && record.reason === 'Unhealthy' && record.message.startsWith('Readiness'))
          unreadiness.set(record.key, record.message)
        if (record.type === 'event' && record.reason === 'Unhealthy' && ERRORED.test(record.message))
          errors.set(record.key, record.message)
        if (!change || !isWorkloadKind(change.kind) || change.key !== subject.key) return
        const workload = workloadOf(subject, view)
        if (!workload) return
        samples++
        if (!isComplete(workload)) reachedAt = undefined
        else if (!givenUp) reachedAt ??= record.at
        if (reachedAt === undefined && context.phase() !== 'settle' && isPastDeadline(workload))
          givenUp ??= obstacle(context, said, record.at)
      },
      result: () => ({
        samples,
        reachedAt,
        missing: reachedAt === undefined ? (givenUp ?? obstacle(context, said, lastAt)) : undefined,
        summary: reachedAt === undefined ? undefined : `complete at ${formatDuration(reachedAt)}`,
      }),
    }
  },
})

/** A probe that was never sent, which counts as neither success nor failure. */
const ERRORED =
  /^(Startup|Readiness) probe errored and resulted in unknown state: (?:strconv\.Atoi: parsing|exec:) "([^"]*)"/

/** What events said last, by pod. */
interface Said {
  readonly scheduling: ReadonlyMap<string, JournalRecord & { type: 'event' }>
  /** Why Karpenter buys no node for a pod. */
  readonly refusals: ReadonlyMap<string, JournalRecord & { type: 'event' }>
  readonly unreadiness: ReadonlyMap<string, string>
  /** Probes that could not be sent. */
  readonly errors: ReadonlyMap<string, string>
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
  const unsent = loading && ERRORED.exec(said.errors.get(keyOf(loading)) ?? '')
  if (loading && unsent)
    return {
      at: now,
      cause: 'probe-not-sent',
      what: `${loading.metadata.name} is not Ready: its ${unsent[1]!.toLowerCase()} probe ${unsent[0].includes('exec:') ? 'runs a program that does not exist' : `asks on port ${unsent[2]}, and its container declares no port of that name`}`,
      evidence: [{ at: now, about: podName(loading), text: said.errors.get(keyOf(loading))! }, ...conditions],
    }
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
  const late = workload && isPastDeadline(workload)
  if (late && loading && restartsOf(loading, subject.container) === 0) return tooLate(context, loading, conditions, now)
  const pending = pods.find((pod) => condition(pod, 'PodScheduled')?.status === 'False')
  if (pending) return waiting(context, pending, said, conditions)
  const unseen = pods.find(
    (pod) =>
      !pod.spec.nodeName &&
      !condition(pod, 'PodScheduled') &&
      now - fromRfc3339(pod.metadata.creationTimestamp) > SEEN_WITHIN,
  )
  if (unseen) return withoutScheduler(context, unseen, conditions)
  const mounting = pods.find((pod) => said.volumes.has(keyOf(pod)) && isUnstarted(pod))
  if (mounting) return withoutVolume(context, mounting, said.volumes.get(keyOf(mounting))!, conditions)
  const pulling = late ? pods.find((pod) => pod.spec.nodeName && isUnstarted(pod) && !isRefused(pod)) : undefined
  return pulling ? tooLate(context, pulling, conditions, now) : unready(context, pods, conditions, now)
}

const isPastDeadline = (workload: Parameters<typeof isComplete>[0]): boolean =>
  condition(workload, 'Progressing')?.reason === 'ProgressDeadlineExceeded'

/** Its image is not to be had. */
const isRefused = ({ status }: o.Pod): boolean =>
  (status.containerStatuses ?? []).some(({ state }) => /Image/.test(state.waiting?.reason ?? ''))

/** The Deployment's deadline is over while a pod does nothing worse than start. */
function tooLate({ subject }: CheckContext, pod: o.Pod, conditions: readonly Evidence[], now: Us): Broken {
  const begun = fromRfc3339(pod.metadata.creationTimestamp)
  const doing = isRunning(pod, subject.container) ? 'loading' : 'pulling its image'
  return {
    at: now,
    cause: 'progress-deadline-too-short',
    what: `${subject.name} is reported as failed while ${pod.metadata.name}, begun ${formatDuration(now - begun)} before, is still ${doing}`,
    evidence: [{ at: now, about: podName(pod), text: condition(pod, 'Ready')?.message ?? 'not Ready' }, ...conditions],
  }
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
  said: Said,
  conditions: readonly Evidence[],
): Broken {
  const message = condition(pending, 'PodScheduled')?.message ?? ''
  const created = fromRfc3339(pending.metadata.creationTimestamp)
  const saidAt = said.scheduling.get(keyOf(pending))?.at ?? created
  const refusal = said.refusals.get(keyOf(pending))
  const at = Math.min(saidAt, created)
  const first = phase() === 'settle'
  const sort = /Insufficient/.test(message) ? 'does-not-fit' : 'unschedulable'
  return {
    at,
    cause: `${first ? '' : 'rollout-'}pod-${sort}`,
    what: `${subject.name} never ${first ? 'came up' : 'finished its rollout'}: ${pending.metadata.name} Pending since ${formatDuration(at)}`,
    evidence: [
      { at: saidAt, about: podName(pending), text: message },
      ...(refusal ? [{ at: refusal.at, about: podName(pending), text: refusal.message }] : []),
      ...conditions,
    ],
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
    .filter((rs) => rs.metadata.namespace === subject.namespace && isOwnedBy(rs, subject.name))
    .map((rs) => condition(rs, 'ReplicaFailure'))
    .find((c) => c !== undefined)
  const refused = failure && /exceeded quota: ([^,]+),/.exec(failure.message ?? '')?.[1]
  if (failure && refused)
    return {
      at: now,
      cause: 'quota-exceeded',
      what: `${subject.name} is not rolled out: quota ${refused} refuses one more pod`,
      evidence: [{ at: now, about: `Deployment ${subject.key}`, text: failure.message ?? '' }, ...conditions],
    }
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

const isOwnedBy = ({ metadata }: o.ReplicaSet, name: string): boolean =>
  (metadata.ownerReferences ?? []).some((owner) => owner.kind === 'Deployment' && owner.name === name)

function restartsText(pod: o.Pod, container: string): string {
  const restarts = restartsOf(pod, container)
  return restarts === 0 ? '' : `, restarted ${restarts} times (liveness-kills-loading says by whom)`
}
