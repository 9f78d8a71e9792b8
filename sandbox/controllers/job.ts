import { controllerOf, orphanPods, podsByController } from '../kube/indexes.ts'
import { Job, keyOf, Pod } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { isActive, isReady, isTerminating } from '../kube/pods.ts'
import type { Task } from '../world/actor.ts'
import { fromRfc3339, seconds, toRfc3339 } from '../world/time.ts'
import { claim } from './claim.ts'
import { type ControllerContext, type ControllerSpec, controller, primary, watching } from './controller.ts'
import { metSuccessRule, parseIndexes } from './job/indexes.ts'
import { managePods, removePods } from './job/manage.ts'
import {
  type Backoff,
  finishedAt,
  hasTracking,
  isFailed,
  isFinishedJob,
  isIndexed,
  matchFailurePolicy,
  nextBackoff,
} from './job/pods.ts'
import {
  absoluteFailures,
  conditionOf,
  countedFailures,
  isIndexFailed,
  type Pass,
  validIndex,
  validPods,
} from './job/sync.ts'
import { removeTracking, trackStatus } from './job/track.ts'
import { controllerIn } from './owned.ts'

/** syncJobBatchPeriod: changes of pods are gathered for so long. */
const BATCH = seconds(1)
const ORPHAN = 'orphan '

/** What is remembered of Jobs between passes. One instance a running control plane. */
interface Memory {
  readonly backoffs: Map<string, Backoff>
  /** By Job, uids of pods whose finalizers were taken away and are still in the cache. */
  readonly released: Map<string, Set<string>>
}

/** Runs a Job's pods to their ends. Follows pkg/controller/job/job_controller.go (1.36), without workloads and gangs. */
export function jobController(): ControllerSpec {
  const memory: Memory = { backoffs: new Map(), released: new Map() }
  return controller({
    name: 'job-controller',
    workers: 5,
    retryDelay: seconds(1),
    consistentWith: [Pod, Job],
    watches: [primary(Job), watching(Pod, (context) => podHandler(context, memory))],
    *reconcile(key, context) {
      if (key.startsWith(ORPHAN)) return yield* syncOrphan(key.slice(ORPHAN.length), context)
      const job = context.kube.get(Job, key)
      if (!job || isFinishedJob(job)) {
        memory.backoffs.delete(key)
        memory.released.delete(key)
        if (!job) {
          context.expectations.forget(key)
          context.consistency.clear(key)
        }
        return
      }
      if (job.spec.managedBy && job.spec.managedBy !== 'kubernetes.io/job-controller') return
      yield* syncJob(key, job, context, memory)
    },
  })
}

function podHandler(context: ControllerContext, memory: Memory) {
  const { queue, expectations } = context
  const orphaned = (pod: o.Pod) => {
    if (hasTracking(pod)) queue.add(ORPHAN + keyOf(pod))
  }
  const owner = (pod: o.Pod) => (controllerOf(pod)?.kind === 'Job' ? controllerIn(context, Job, pod) : undefined)
  const deleted = (pod: o.Pod, gone: boolean) => {
    const job = owner(pod)
    if (!job || isFinishedJob(job)) {
      if (!gone && controllerOf(pod)?.kind === 'Job') orphaned(pod)
      return
    }
    expectations.deletionObserved(keyOf(job), keyOf(pod))
    if (gone || !hasTracking(pod)) memory.released.get(keyOf(job))?.delete(pod.metadata.uid)
    queue.addAfter(keyOf(job), BATCH)
  }
  return {
    added(pod: o.Pod) {
      if (pod.metadata.deletionTimestamp) return deleted(pod, false)
      const job = owner(pod)
      if (job) {
        expectations.creationObserved(keyOf(job))
        queue.addAfter(keyOf(job), BATCH)
      } else if (controllerOf(pod)?.kind === 'Job') orphaned(pod)
    },
    updated(before: o.Pod, pod: o.Pod) {
      if (pod.metadata.deletionTimestamp) return deleted(pod, false)
      const job = owner(pod)
      if (!job) {
        if (controllerOf(pod)?.kind === 'Job' || (controllerOf(before)?.kind === 'Job' && !controllerOf(pod)))
          orphaned(pod)
        return
      }
      if (!hasTracking(pod)) memory.released.get(keyOf(job))?.delete(pod.metadata.uid)
      queue.addAfter(keyOf(job), BATCH)
    },
    deleted: (pod: o.Pod) => deleted(pod, true),
  }
}

/** A pod whose Job is gone or over is let go. Follows syncOrphanPod. */
function* syncOrphan(key: string, context: ControllerContext): Task {
  const pod = context.kube.get(Pod, key)
  if (!pod || !hasTracking(pod)) return
  const job = controllerIn(context, Job, pod)
  if (!job || isFinishedJob(job)) yield* removeTracking(context.kube, pod)
}

function* syncJob(key: string, held: o.Job, context: ControllerContext, memory: Memory): Task {
  const { now, expectations } = context
  const satisfied = expectations.satisfied(key)
  const released = memory.released.get(key) ?? new Set<string>()
  memory.released.set(key, released)
  const pass = yield* newPass(key, held, context, released)
  const before = { active: pass.active.length }
  const succeeded = validPods(pass, pass.uncounted.succeeded, (pod) => pod.status.phase === 'Succeeded')
  const failed = validPods(pass, pass.uncounted.failed, (pod) => isFailed(pod, pass.job))
  pass.succeeded = (held.status.succeeded ?? 0) + succeeded.length + pass.uncounted.succeeded.size
  pass.failed = (held.status.failed ?? 0) + countedFailures(pass.job, failed) + pass.uncounted.failed.size
  const { job } = pass
  if (!job.status.startTime && !job.spec.suspend) job.status.startTime = toRfc3339(now)
  pass.backoff = nextBackoff(memory.backoffs.get(key), succeeded, failed)
  pass.finished = failureOf(pass)
  if (isIndexed(job)) countIndexes(pass)
  let active = before.active
  let error: unknown
  if (pass.finished) {
    const done = yield* removePods(pass, pass.active)
    if (done.active > 0 || !satisfied) pass.finished = undefined
    active = done.active
    error = done.error
  } else {
    let managed = false
    if (satisfied && !job.metadata.deletionTimestamp) {
      managed = true
      const done = yield* managePods(pass)
      active = done.active
      error = done.error
    }
    const { completions } = job.spec
    const complete = completions === undefined ? pass.succeeded > 0 : pass.succeeded >= completions
    if (complete && active === 0)
      pass.finished = conditionOf(
        'SuccessCriteriaMet',
        'CompletionsReached',
        'Reached expected number of succeeded pods',
        now,
      )
    else if (managed) noteSuspension(pass)
  }
  Object.assign(job.status, { active: active || undefined, ready: pass.ready, terminating: pass.terminating })
  yield* trackStatus(pass, released)
  memory.backoffs.set(key, pass.backoff)
  if (error) throw error
}

function* newPass(key: string, held: o.Job, context: ControllerContext, released: ReadonlySet<string>): Task<Pass> {
  const { kube, consistency } = context
  const { uid, namespace = '' } = held.metadata
  const pods = yield* claim([...kube.indexed(podsByController, uid), ...kube.indexed(orphanPods, namespace)], {
    kube,
    owner: held,
    ownerKind: Job,
    kind: Pod,
    wrote: (pod) => consistency.wrote({ key, uid }, Pod, pod),
  })
  const active = pods.filter(isActive)
  const { succeeded = [], failed = [] } = held.status.uncountedTerminatedPods ?? {}
  return {
    key,
    job: {
      ...held,
      status: { ...held.status, conditions: held.status.conditions ? [...held.status.conditions] : undefined },
    },
    original: held.status,
    context,
    pods,
    active,
    released,
    uncounted: { succeeded: new Set(succeeded), failed: new Set(failed) },
    succeeded: 0,
    failed: 0,
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    backoff: { failures: 0, lastFailureAt: 0 },
    finished: undefined,
    indexes: { before: new Set(), succeeded: new Set(), failed: undefined },
    delayed: new Map(),
  }
}

/** Why the Job has failed or is about to, if so. */
function failureOf(pass: Pass): o.Condition | undefined {
  const { job, pods, context, key } = pass
  const { now, queue } = context
  const { conditions = [], startTime } = job.status
  const interim = conditions.find((c) => c.type === 'SuccessCriteriaMet' && c.status === 'True')
  if (interim) return interim
  const target = conditions.find((c) => c.type === 'FailureTarget' && c.status === 'True')
  if (target) return target
  const fail = (reason: string, message: string) => conditionOf('FailureTarget', reason, message, now)
  if (job.spec.podFailurePolicy) {
    for (const pod of pods) {
      const message = isFailed(pod, job) ? matchFailurePolicy(job, pod).message : undefined
      if (message !== undefined) return fail('PodFailurePolicy', message)
    }
  }
  if (pass.failed > (job.spec.backoffLimit ?? 6) || restartsExceed(job, pods))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const { activeDeadlineSeconds, suspend } = job.spec
  if (activeDeadlineSeconds === undefined || suspend || !startTime) return undefined
  const due = fromRfc3339(startTime) + seconds(activeDeadlineSeconds)
  if (now >= due) return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  queue.addAfter(key, due - now)
  return undefined
}

/** Follows pastBackoffLimitOnFailure: restarts in place count as failures. */
function restartsExceed({ spec }: o.Job, pods: readonly o.Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of pods)
    if (status.phase === 'Running' || status.phase === 'Pending')
      for (const one of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
        restarts += one.restartCount
  const { backoffLimit = 6 } = spec
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit
}

function countIndexes(pass: Pass): void {
  const { job, pods, context } = pass
  const { completions = 0, backoffLimitPerIndex, maxFailedIndexes } = job.spec
  const before = parseIndexes(job.status.completedIndexes, completions)
  const succeeded = new Set(before)
  const tracked = pods.filter(hasTracking)
  const note = (into: Set<number>, test: (pod: o.Pod) => boolean) => {
    for (const pod of tracked) {
      const index = validIndex(job, pod)
      if (index !== undefined && test(pod)) into.add(index)
    }
  }
  note(succeeded, (pod) => pod.status.phase === 'Succeeded')
  pass.succeeded = succeeded.size
  pass.indexes = { before, succeeded, failed: undefined }
  if (backoffLimitPerIndex !== undefined) {
    const failed = parseIndexes(job.status.failedIndexes, completions)
    note(failed, (pod) => isIndexFailed(job, pod))
    pass.indexes.failed = failed
    const fail = (reason: string, message: string) => conditionOf('FailureTarget', reason, message, context.now)
    if (maxFailedIndexes !== undefined && failed.size > maxFailedIndexes)
      pass.finished ??= fail(
        'MaxFailedIndexesExceeded',
        'Job has exceeded the specified maximal number of failed indexes',
      )
    else if (failed.size > 0 && failed.size + succeeded.size >= completions)
      pass.finished ??= fail('FailedIndexes', 'Job has failed indexes')
    delayPods(pass)
  }
  const rule = metSuccessRule(job.spec, succeeded)
  if (rule !== undefined)
    pass.finished ??= conditionOf('SuccessCriteriaMet', 'SuccessPolicy', `Matched rules at index ${rule}`, context.now)
}

/** The failed pod of each index that is to be tried again. Follows getPodsWithDelayedDeletionPerIndex. */
function delayPods(pass: Pass): void {
  const { job, indexes, delayed } = pass
  const running = new Set(pass.active.map((pod) => validIndex(job, pod)))
  for (const pod of validPods(pass, new Set(), (one) => isFailed(one, job))) {
    const index = validIndex(job, pod)!
    if (indexes.succeeded.has(index) || indexes.failed?.has(index) || running.has(index)) continue
    const last = delayed.get(index)
    if (!last || (absoluteFailures(last) <= absoluteFailures(pod) && finishedAt(pod) >= finishedAt(last)))
      delayed.set(index, pod)
  }
}

/** The Suspended condition and its Events. */
function noteSuspension({ job, context: { kube, now } }: Pass): void {
  const { conditions = [] } = job.status
  const held = conditions.find(({ type }) => type === 'Suspended')
  const suspended = job.spec.suspend === true
  if (held ? (held.status === 'True') === suspended : !suspended) return
  const [state, reason, message] = suspended
    ? (['True', 'JobSuspended', 'Job suspended'] as const)
    : (['False', 'JobResumed', 'Job resumed'] as const)
  const condition = conditionOf('Suspended', reason, message, now, state)
  job.status.conditions = [...conditions.filter(({ type }) => type !== 'Suspended'), condition]
  kube.event(job, 'Normal', suspended ? 'Suspended' : 'Resumed', message)
  job.status.startTime = suspended ? undefined : toRfc3339(now)
}
