import type * as o from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'
import { fromRfc3339, minutes, seconds, type Us } from '../../world/time.ts'

export const TRACKING = 'batch.kubernetes.io/job-tracking'

export const hasTracking = (pod: o.Pod): boolean => pod.metadata.finalizers?.includes(TRACKING) ?? false
export const isIndexed = ({ spec }: o.Job): boolean => spec.completionMode === 'Indexed'
export const isFinishedJob = ({ status }: o.Job): boolean =>
  status.conditions?.some(
    ({ type, status: state }) => (type === 'Complete' || type === 'Failed') && state === 'True',
  ) ?? false
export const onlyReplacesFailed = ({ spec }: o.Job): boolean => spec.podReplacementPolicy === 'Failed'

/** A pod that is being deleted counts as failed, unless only failed ones are replaced. Follows isPodFailed. */
export const isFailed = (pod: o.Pod, job: o.Job): boolean =>
  pod.status.phase === 'Failed' ||
  (!onlyReplacesFailed(job) && pod.metadata.deletionTimestamp !== undefined && pod.status.phase !== 'Succeeded')

export interface PolicyMatch {
  readonly action: o.PodFailureRule['action'] | undefined
  /** Why the Job fails, under FailJob. */
  readonly message?: string
  readonly counts: boolean
}

/** What the failure policy says of a failed pod: the first rule that matches. Follows pod_failure_policy.go. */
export function matchFailurePolicy(job: o.Job, pod: o.Pod): PolicyMatch {
  const { namespace, name } = pod.metadata
  for (const [i, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = rule.onExitCodes
      ? exitCodeMatch(pod, rule.onExitCodes)
      : conditionMatch(pod, rule.onPodConditions ?? [])
    if (!why) continue
    const { action } = rule
    if (action !== 'FailJob') return { action, counts: action !== 'Ignore' }
    const where = `matching ${action} rule at index ${i}`
    const message = why.container
      ? `Container ${why.container} for pod ${namespace}/${name} failed with exit code ${why.code} ${where}`
      : `Pod ${namespace}/${name} has condition ${why.condition} ${where}`
    return { action, message, counts: true }
  }
  return { action: undefined, counts: true }
}

interface Why {
  readonly container?: string
  readonly code?: number
  readonly condition?: string
}

function exitCodeMatch({ status }: o.Pod, rule: NonNullable<o.PodFailureRule['onExitCodes']>): Why | undefined {
  for (const container of [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]) {
    const code = container.state.terminated?.exitCode
    if (!code || (rule.containerName && rule.containerName !== container.name)) continue
    if (rule.values.includes(code) === (rule.operator === 'In')) return { container: container.name, code }
  }
  return undefined
}

function conditionMatch(
  { status }: o.Pod,
  patterns: NonNullable<o.PodFailureRule['onPodConditions']>,
): Why | undefined {
  const found = (status.conditions ?? []).find(({ type, status: state }) =>
    patterns.some((pattern) => pattern.type === type && (pattern.status ?? 'True') === state),
  )
  return found && { condition: found.type }
}

/** When a pod ended, as well as it says. Follows getFinishedTime in backoff_utils.go. */
export function finishedAt(pod: o.Pod): Us {
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  const ofSidecars = pod.status.initContainerStatuses?.filter(({ name }) => sidecars.some((c) => c.name === name)) ?? []
  const end = latestEnd(ofSidecars, latestEnd(pod.status.containerStatuses ?? [], undefined))
  if (end !== undefined) return end
  const ready = condition(pod, 'Ready')
  if (ready?.status === 'False' && ready.lastTransitionTime) return fromRfc3339(ready.lastTransitionTime)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata
  return deletionTimestamp
    ? fromRfc3339(deletionTimestamp) - seconds(deletionGracePeriodSeconds)
    : fromRfc3339(creationTimestamp)
}

/** The last end, where all of them ended. Follows latestFinishTime. */
function latestEnd(statuses: readonly o.ContainerStatus[], before: Us | undefined): Us | undefined {
  const ends = statuses.map(({ state }) => state.terminated?.finishedAt)
  if (ends.some((end) => end === undefined)) return undefined
  const times = [...(before === undefined ? [] : [before]), ...ends.map((end) => fromRfc3339(end!))]
  return times.length === 0 ? undefined : Math.max(...times)
}

/** Failures since the last success, and when the last one was. */
export interface Backoff {
  readonly failures: number
  readonly lastFailureAt: Us
}

const FIRST_BACKOFF = seconds(10)
const LONGEST_BACKOFF = minutes(10)

/** How long until a pod may be made again: 10 s, doubling to 10 minutes. */
export function backoffLeft({ failures, lastFailureAt }: Backoff, now: Us): Us {
  if (failures === 0) return 0
  const backoff = Math.min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF)
  return Math.max(0, backoff - (now - lastFailureAt))
}

/** The record after these pods ended. Follows newBackoffRecord. */
export function nextBackoff(
  before: Backoff | undefined,
  succeeded: readonly o.Pod[],
  failed: readonly o.Pod[],
): Backoff {
  const known = before ?? { failures: 0, lastFailureAt: 0 }
  const times = failed.map(finishedAt)
  if (succeeded.length > 0) {
    const success = Math.max(...succeeded.map(finishedAt))
    const after = times.filter((time) => time > success)
    return { failures: after.length, lastFailureAt: Math.max(0, ...after) }
  }
  if (times.length === 0) return known
  return { failures: known.failures + times.length, lastFailureAt: Math.max(...times) }
}
