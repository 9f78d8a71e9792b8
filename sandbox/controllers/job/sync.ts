import type * as o from '../../kube/objects.ts'
import { toRfc3339, type Us } from '../../world/time.ts'
import type { ControllerContext } from '../controller.ts'
import { completionIndex } from './indexes.ts'
import { type Backoff, hasTracking, isFailed, isIndexed, matchFailurePolicy } from './pods.ts'

/** One pass over a Job: upstream's syncJobCtx. The job's status is a copy that may be changed. */
export interface Pass {
  readonly key: string
  readonly job: o.Job
  /** The status as it was read. */
  readonly original: o.Job['status']
  readonly context: ControllerContext
  readonly pods: readonly o.Pod[]
  readonly active: readonly o.Pod[]
  /** Pods whose finalizers were taken away and are still in the cache with them. */
  readonly released: ReadonlySet<string>
  readonly uncounted: { readonly succeeded: ReadonlySet<string>; readonly failed: ReadonlySet<string> }
  succeeded: number
  failed: number
  ready: number
  terminating: number
  backoff: Backoff
  finished: o.Condition | undefined
  indexes: { before: ReadonlySet<number>; succeeded: Set<number>; failed: Set<number> | undefined }
  /** By index, the failed pod that is kept until its successor is made. */
  delayed: Map<number, o.Pod>
}

export const conditionOf = (
  type: string,
  reason: string,
  message: string,
  now: Us,
  status: o.Condition['status'] = 'True',
): o.Condition => {
  const at = toRfc3339(now)
  return { type, status, lastProbeTime: at, lastTransitionTime: at, reason, message }
}

/** Pods that still count: tracked, not counted yet, and with a valid index. Follows getValidPodsWithFilter. */
export const validPods = (pass: Pass, counted: ReadonlySet<string>, test: (pod: o.Pod) => boolean): o.Pod[] =>
  pass.pods.filter((pod) => {
    const { uid } = pod.metadata
    if (!hasTracking(pod) || counted.has(uid) || pass.released.has(uid)) return false
    return (!isIndexed(pass.job) || validIndex(pass.job, pod) !== undefined) && test(pod)
  })

export function validIndex({ spec }: o.Job, pod: o.Pod): number | undefined {
  const index = completionIndex(pod)
  return index !== undefined && index < (spec.completions ?? 0) ? index : undefined
}

/** Failures that no rule of the policy ignores. */
export const countedFailures = (job: o.Job, failed: readonly o.Pod[]): number =>
  failed.filter((pod) => matchFailurePolicy(job, pod).counts).length

const FAILURES = 'batch.kubernetes.io/job-index-failure-count'
const IGNORED = 'batch.kubernetes.io/job-index-ignored-failure-count'

const numberIn = (pod: o.Pod, annotation: string): number => Number(pod.metadata.annotations?.[annotation] ?? 0)
export const absoluteFailures = (pod: o.Pod): number => numberIn(pod, FAILURES) + numberIn(pod, IGNORED)

/** Whether a failed pod is the end of its index. Follows isIndexFailed. */
export function isIndexFailed(job: o.Job, pod: o.Pod): boolean {
  if (!isFailed(pod, job)) return false
  const { action, counts } = matchFailurePolicy(job, pod)
  if (action === 'FailIndex') return true
  return counts && numberIn(pod, FAILURES) >= job.spec.backoffLimitPerIndex!
}

/** What the next pod of an index is told of the failures before it. Follows addIndexFailureCountAnnotation. */
export function failureAnnotations(job: o.Job, replaced: o.Pod | undefined): Record<string, string> {
  if (!replaced) return { [FAILURES]: '0' }
  const { counts } = matchFailurePolicy(job, replaced)
  const ignored = numberIn(replaced, IGNORED) + (counts ? 0 : 1)
  const failures = numberIn(replaced, FAILURES) + (counts ? 1 : 0)
  return { [FAILURES]: String(failures), ...(ignored > 0 ? { [IGNORED]: String(ignored) } : {}) }
}
