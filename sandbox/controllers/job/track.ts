import { equal } from '../../journal/merge-patch.ts'
import { isApiError } from '../../kube/errors.ts'
import { Job, keyOf, Pod } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { setCondition } from '../conditions.ts'
import { requestAll } from '../slow-start.ts'
import { formatIndexes } from './indexes.ts'
import { hasTracking, isFailed, isIndexed, matchFailurePolicy, TRACKING } from './pods.ts'
import { conditionOf, type Pass, validIndex } from './sync.ts'

/** MaxUncountedPods: so many are counted at once. */
const UNCOUNTED_MAX = 500

type Counting = Pass & { job: o.Job }

/**
 * Counts the pods that ended, each once: their uids into the status, their finalizers off, then the counters up.
 * Follows trackJobStatusAndRemoveFinalizers in pkg/controller/job/job_controller.go.
 */
export function* trackStatus(given: Pass, released: Set<string>): Task {
  const pass = given as Counting
  const { job } = pass
  const { status } = job
  const tracked = new Set(pass.pods.filter((pod) => isTracked(pass, pod)).map(({ metadata }) => metadata.uid))
  let dirty = countReleased(status, tracked)
  const { doomed, changed, full } = collect(pass)
  dirty ||= changed
  if (isIndexed(job)) {
    status.completedIndexes = formatIndexes(pass.indexes.succeeded) || undefined
    status.succeeded = pass.indexes.succeeded.size || undefined
    status.failedIndexes = pass.indexes.failed ? formatIndexes(pass.indexes.failed) : undefined
  }
  const interim = takeInterimCondition(pass)
  dirty ||= interim
  if (dirty || !equal(pass.job.status, pass.original)) yield* write(pass)
  const failure = yield* release(pass, doomed, tracked, released)
  const counted = countReleased(pass.job.status, tracked)
  if (failure) {
    if (counted) yield* write(pass)
    throw failure
  }
  const over = !full && finish(pass)
  if (counted || over) yield* write(pass)
  if (over) tellOfEnd(pass)
}

const isTracked = ({ released }: Pass, pod: o.Pod): boolean => hasTracking(pod) && !released.has(pod.metadata.uid)

/** Uids whose finalizers are gone go from the list into the counters. Follows cleanUncountedPodsWithoutFinalizers. */
function countReleased(status: o.Job['status'], tracked: ReadonlySet<string>): boolean {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const left = {
    succeeded: succeeded.filter((uid) => tracked.has(uid)),
    failed: failed.filter((uid) => tracked.has(uid)),
  }
  const moved = { succeeded: succeeded.length - left.succeeded.length, failed: failed.length - left.failed.length }
  if (moved.succeeded + moved.failed === 0) return false
  status.succeeded = (status.succeeded ?? 0) + moved.succeeded || undefined
  status.failed = (status.failed ?? 0) + moved.failed || undefined
  status.uncountedTerminatedPods = uncounted(left.succeeded, left.failed)
  return true
}

const uncounted = (succeeded: string[], failed: string[]) => ({
  ...(succeeded.length > 0 ? { succeeded } : {}),
  ...(failed.length > 0 ? { failed } : {}),
})

/** The pods that have ended and are to be let go, with their uids put down. */
function collect(pass: Counting): { doomed: o.Pod[]; changed: boolean; full: boolean } {
  const { job, indexes, finished } = pass
  const lists = { succeeded: [] as string[], failed: [] as string[], ...clone(job.status.uncountedTerminatedPods) }
  const doomed: o.Pod[] = []
  let changed = false
  let fresh = 0
  for (const pod of pass.pods) {
    if (!isTracked(pass, pod) || !mayLetGo(pass, pod)) continue
    doomed.push(pod)
    const { uid } = pod.metadata
    const index = validIndex(job, pod)
    if (pod.status.phase === 'Succeeded' && !pass.uncounted.failed.has(uid)) {
      if (isIndexed(job)) {
        if (index === undefined || indexes.before.has(index)) continue
        indexes.succeeded.add(index)
        fresh++
        changed = true
      } else if (!pass.uncounted.succeeded.has(uid)) {
        lists.succeeded.push(uid)
        changed = true
      }
    } else if (isFailed(pod, job) || (finished && finished.type !== 'SuccessCriteriaMet')) {
      if (pass.uncounted.failed.has(uid) || (isIndexed(job) && index === undefined)) continue
      if (!matchFailurePolicy(job, pod).counts) continue
      lists.failed.push(uid)
      changed = true
    }
    if (fresh + lists.succeeded.length + lists.failed.length >= UNCOUNTED_MAX) {
      job.status.uncountedTerminatedPods = uncounted(lists.succeeded, lists.failed)
      return { doomed, changed, full: true }
    }
  }
  job.status.uncountedTerminatedPods = uncounted(lists.succeeded, lists.failed)
  return { doomed, changed, full: false }
}

const clone = (lists: o.Job['status']['uncountedTerminatedPods']) => ({
  ...(lists?.succeeded ? { succeeded: [...lists.succeeded] } : {}),
  ...(lists?.failed ? { failed: [...lists.failed] } : {}),
})

/** Follows canRemoveFinalizer. */
function mayLetGo({ job, finished, delayed }: Pass, pod: o.Pod): boolean {
  if (job.metadata.deletionTimestamp || finished || pod.status.phase === 'Succeeded') return true
  if (!isFailed(pod, job)) return false
  const index = validIndex(job, pod)
  return index === undefined || delayed.get(index)?.metadata.uid !== pod.metadata.uid
}

/** Puts FailureTarget or SuccessCriteriaMet into the status and turns what is to come into Failed or Complete. */
function takeInterimCondition(pass: Counting): boolean {
  const { finished, job, context } = pass
  if (!finished || finished.type === 'Failed' || finished.type === 'Complete') return false
  const conditions = job.status.conditions ?? []
  const known = conditions.some(({ type }) => type === finished.type)
  if (!known) job.status.conditions = [...conditions, finished]
  const type = finished.type === 'FailureTarget' ? 'Failed' : 'Complete'
  pass.finished = conditionOf(type, finished.reason ?? '', finished.message ?? '', context.now)
  return !known
}

/** Whether the end is written down: not while pods are uncounted or still ending. Follows enactJobFinished. */
function finish({ finished, job, terminating }: Counting): boolean {
  const { succeeded = [], failed = [] } = job.status.uncountedTerminatedPods ?? {}
  if (!finished || succeeded.length + failed.length > 0 || terminating > 0) return false
  job.status.conditions = setCondition(job.status.conditions, finished)
  if (finished.type === 'Complete') job.status.completionTime = finished.lastTransitionTime
  return true
}

function tellOfEnd({ finished, job, context: { kube } }: Counting): void {
  if (finished!.type === 'Complete') kube.event(job, 'Normal', 'Completed', 'Job completed')
  else kube.event(job, 'Warning', finished!.reason ?? '', finished!.message ?? '')
}

function* write(pass: Counting): Task {
  const { context, key } = pass
  const written = yield* context.kube.updateStatus(Job, pass.job)
  context.consistency.wrote({ key, uid: written.metadata.uid }, Job, written)
  // later changes of this pass go on from what the server has
  pass.job = { ...written, status: { ...written.status } }
}

function* release(
  { context: { kube } }: Pass,
  doomed: readonly o.Pod[],
  tracked: Set<string>,
  released: Set<string>,
): Task<Error | undefined> {
  const errors = yield* requestAll(doomed.map((pod) => () => removeTracking(kube, pod)))
  for (const [i, pod] of doomed.entries()) {
    if (errors[i]) continue
    tracked.delete(pod.metadata.uid)
    released.add(pod.metadata.uid)
  }
  return errors.find((error) => error !== undefined)
}

/** Takes the finalizer off a pod; one that is gone needs nothing. */
export function* removeTracking(kube: Kube, pod: o.Pod): Task {
  const left = (pod.metadata.finalizers ?? []).filter((name) => name !== TRACKING)
  try {
    yield* kube.patch(Pod, keyOf(pod), {
      metadata: { uid: pod.metadata.uid, finalizers: left.length > 0 ? left : null },
    })
  } catch (error) {
    if (!isApiError(error, 'NotFound') && !isApiError(error, 'Invalid')) throw error
  }
}
