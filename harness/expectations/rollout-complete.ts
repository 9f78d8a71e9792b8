import type { JournalRecord } from '../../sandbox/journal/record.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { condition, isActive } from '../../sandbox/kube/pods.ts'
import { formatDuration, fromRfc3339, type Us } from '../../sandbox/world/time.ts'
import { deploymentOf, podName, podsOf } from '../subject.ts'
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
    return {
      record(record, change) {
        lastAt = record.at
        if (record.type === 'event' && record.reason === 'FailedScheduling') reasons.set(record.key, record)
        if (change?.kind !== 'deployments.apps' || change.key !== subject.key) return
        const deployment = deploymentOf(subject, view)
        if (!deployment) return
        samples++
        if (!isComplete(deployment)) reachedAt = undefined
        else reachedAt ??= record.at
      },
      result: () => ({
        samples,
        reachedAt,
        missing: reachedAt === undefined ? obstacle(context, reasons, lastAt) : undefined,
        summary: reachedAt === undefined ? undefined : `complete at ${formatDuration(reachedAt)}`,
      }),
    }
  },
})

export function isComplete(deployment: o.Deployment): boolean {
  const { spec, status, metadata } = deployment
  return (
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas
  )
}

/** Why it is not complete: the pod that waits, and what it waits for. */
function obstacle(
  { subject, view }: CheckContext,
  reasons: ReadonlyMap<string, JournalRecord & { type: 'event' }>,
  now: Us,
): Broken {
  const pods = podsOf(subject, view).filter(isActive)
  const pending = pods.find((pod) => condition(pod, 'PodScheduled')?.status === 'False')
  const deployment = deploymentOf(subject, view)
  const progress = deployment && condition(deployment, 'Progressing')
  const conditions: Evidence[] = progress
    ? [
        {
          at: now,
          about: `Deployment ${subject.key}`,
          text: `Progressing=${progress.status} ${progress.reason}: ${progress.message}`,
        },
      ]
    : []
  if (pending) {
    const message = condition(pending, 'PodScheduled')?.message ?? ''
    const key = `${pending.metadata.namespace}/${pending.metadata.name}`
    const since = reasons.get(key)?.at ?? fromRfc3339(pending.metadata.creationTimestamp)
    const firstAt = Math.min(since, fromRfc3339(pending.metadata.creationTimestamp))
    return {
      at: firstAt,
      cause: /Insufficient/.test(message) ? 'rollout-pod-does-not-fit' : 'rollout-pod-unschedulable',
      what: `${subject.name} never finished its rollout: ${pending.metadata.name} Pending since ${formatDuration(firstAt)}`,
      evidence: [{ at: since, about: podName(pending), text: message }, ...conditions],
    }
  }
  const unready = pods.find((pod) => condition(pod, 'Ready')?.status !== 'True')
  const waiting = unready?.status.containerStatuses?.find((c) => c.state.waiting)?.state.waiting
  return {
    at: now,
    cause: 'rollout-not-complete',
    what: `${subject.name} is not rolled out: ${unready ? `${unready.metadata.name} is not Ready${waiting ? ` (${waiting.reason})` : ''}` : 'too few pods'}`,
    evidence: [
      ...(unready
        ? [{ at: now, about: podName(unready), text: condition(unready, 'Ready')?.message ?? 'not Ready' }]
        : []),
      ...conditions,
    ],
  }
}
