import type { ApiError } from '../../kube/errors.ts'
import { keyOf, Pod } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { isReady } from '../../kube/pods.ts'
import type { Task } from '../../world/actor.ts'
import type { Us } from '../../world/time.ts'
import { controllerRef } from '../claim.ts'
import { rankForDeletion } from '../deletion-rank.ts'
import { deletePod, generateNameOf, reportCreation } from '../pod-control.ts'
import { requestAll, slowStart } from '../slow-start.ts'
import { completionIndex, INDEX } from './indexes.ts'
import { backoffLeft, finishedAt, isIndexed, onlyReplacesFailed, TRACKING } from './pods.ts'
import { absoluteFailures, failureAnnotations, type Pass, validIndex } from './sync.ts'

/** MaxPodCreateDeletePerSync. */
const PER_SYNC = 500

interface Managed {
  readonly active: number
  readonly error: ApiError | undefined
}

/** Brings the running pods to the number the Job wants now. Follows manageJob in pkg/controller/job/job_controller.go. */
export function* managePods(pass: Pass): Task<Managed> {
  const { job, active } = pass
  const { suspend, parallelism = 1, completions } = job.spec
  if (suspend) return yield* removePods(pass, active)
  const wanted =
    completions === undefined
      ? pass.succeeded > 0
        ? active.length
        : parallelism
      : Math.max(0, Math.min(completions - pass.succeeded, parallelism))
  const doomed = podsForRemoval(pass, Math.max(0, active.length - wanted)).slice(0, PER_SYNC)
  if (doomed.length > 0) return yield* removePods(pass, doomed)
  const missing = wanted - active.length - (onlyReplacesFailed(job) ? pass.terminating : 0)
  return missing > 0 ? yield* addPods(pass, Math.min(missing, PER_SYNC)) : { active: active.length, error: undefined }
}

/** Deletes pods, and counts them as gone. */
export function* removePods(pass: Pass, doomed: readonly o.Pod[]): Task<Managed> {
  const { context, job, key } = pass
  context.expectations.expectDeletions(key, doomed.map(keyOf))
  const errors = yield* requestAll(doomed.map((pod) => () => deletePod(context.kube, job, pod)))
  let removed = 0
  let error: ApiError | undefined
  for (const [i, pod] of doomed.entries()) {
    const failure = errors[i]
    if (failure) context.expectations.deletionObserved(key, keyOf(pod))
    if (failure && failure.reason !== 'NotFound') {
      error ??= failure
      continue
    }
    removed++
    if (isReady(pod)) pass.ready--
  }
  pass.terminating += removed
  return { active: pass.active.length - removed, error }
}

function podsForRemoval({ job, active, context }: Pass, count: number): o.Pod[] {
  const doomed: o.Pod[] = []
  let left = [...active]
  if (isIndexed(job)) {
    const seen = new Set<number>()
    left = rankForDeletion(active, [], context.now).reverse()
    left = left.filter((pod) => {
      const index = validIndex(job, pod)
      if (index !== undefined && !seen.has(index)) return seen.add(index)
      doomed.push(pod)
      return false
    })
  }
  if (doomed.length >= count) return doomed
  return [...doomed, ...rankForDeletion(left, [], context.now).slice(0, count - doomed.length)]
}

function* addPods(pass: Pass, missing: number): Task<Managed> {
  const { key, job, context, active } = pass
  const { now, expectations, queue, consistency, kube } = context
  const perIndex = job.spec.backoffLimitPerIndex !== undefined
  const none = { active: active.length, error: undefined }
  let wait: Us = perIndex ? 0 : backoffLeft(pass.backoff, now)
  let indexes: number[] | undefined
  if (wait === 0 && isIndexed(job)) {
    indexes = pendingIndexes(pass, missing)
    if (perIndex) [indexes, wait] = readyIndexes(pass, indexes)
  }
  if (wait > 0) {
    queue.addAfter(key, wait)
    return none
  }
  const count = indexes?.length ?? missing
  if (count === 0) return none
  expectations.expectCreations(key, count)
  let next = 0
  const { done, error } = yield* slowStart(count, function* () {
    const pod = yield* reportCreation(kube, job, kube.create(Pod, podOf(pass, indexes?.[next++])))
    consistency.wrote({ key, uid: job.metadata.uid }, Pod, pod)
  })
  for (let i = done; i < count; i++) expectations.creationObserved(key)
  return { active: active.length + done, error }
}

/** The lowest indexes that nobody works on. Follows firstPendingIndexes. */
function pendingIndexes({ job, active, indexes }: Pass, count: number): number[] {
  const taken = new Set(active.map(completionIndex))
  const found: number[] = []
  for (let i = 0; i < (job.spec.completions ?? 0) && found.length < count; i++)
    if (!taken.has(i) && !indexes.succeeded.has(i) && !indexes.failed?.has(i)) found.push(i)
  return found
}

/** Those whose own back-off is over, or how long until the first is. */
function readyIndexes({ delayed, context: { now } }: Pass, indexes: readonly number[]): [number[], Us] {
  let least = Number.POSITIVE_INFINITY
  const ready = indexes.filter((index) => {
    const last = delayed.get(index)
    if (!last) return true
    const left = backoffLeft({ failures: absoluteFailures(last) + 1, lastFailureAt: finishedAt(last) }, now)
    if (left > 0) least = Math.min(least, left)
    return left === 0
  })
  return [ready, ready.length > 0 || least === Number.POSITIVE_INFINITY ? 0 : least]
}

function podOf({ job, delayed }: Pass, index: number | undefined): o.Draft<o.Pod> {
  const { template, backoffLimitPerIndex } = job.spec
  const { name, namespace } = job.metadata
  const { labels, annotations } = template.metadata
  const common = {
    namespace,
    ownerReferences: [controllerRef(job)],
    finalizers: [TRACKING],
  }
  if (index === undefined)
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...common, generateName: generateNameOf(name), labels, annotations },
      spec: template.spec,
    }
  const failures = backoffLimitPerIndex === undefined ? {} : failureAnnotations(job, delayed.get(index))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...common,
      generateName: `${name.slice(0, 58 - 2 - String(index).length)}-${index}-`,
      labels: { ...labels, [INDEX]: String(index) },
      annotations: { ...annotations, [INDEX]: String(index), ...failures },
    },
    spec: { ...withIndexVariable(template.spec), hostname: `${name}-${index}` },
  }
}

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'

/** Follows addCompletionIndexEnvVariables. */
function withIndexVariable(spec: o.PodSpec): o.PodSpec {
  const fieldRef = { fieldPath: `metadata.labels['${INDEX}']` }
  const add = (container: o.Container): o.Container =>
    container.env?.some((variable) => variable.name === INDEX_VARIABLE)
      ? container
      : { ...container, env: [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom: { fieldRef } }] }
  const { initContainers } = spec
  return {
    ...spec,
    containers: spec.containers.map(add),
    ...(initContainers ? { initContainers: initContainers.map(add) } : {}),
  }
}
