import { ApiError, isApiError } from '../kube/errors.ts'
import { keyOf, Pod } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { all, sleep, type Task } from '../world/actor.ts'
import { seconds, type Us } from '../world/time.ts'
import type { DrainOptions, Say } from './drain.ts'
import { isLongDeleted } from './drain-filters.ts'
import { time } from './time.ts'

// follows k8s.io/kubectl/pkg/drain/drain.go

/** Between two tries of an eviction a budget does not allow. */
const RETRY: Us = seconds(5)
/** Between two looks whether a pod is gone. */
const POLL: Us = seconds(1)

interface Sending extends DrainOptions {
  readonly say: Say
  /** Gets the keys of the pods that are gone. */
  readonly gone: string[]
}

/** Evicts (or deletes) pods side by side and waits until they are gone. What went wrong, empty when nothing did. */
export function* sendAway(kube: Kube, pods: readonly o.Pod[], options: Sending): Task<readonly string[]> {
  const deadline = options.timeout ? (yield* time()) + options.timeout : Number.POSITIVE_INFINITY
  if (options.disableEviction) return yield* deleteAll(kube, pods, options, deadline)
  const outcomes = yield* all(pods.map((pod) => evictAndWait(kube, pod, options, deadline)))
  return [...new Set(outcomes.flatMap((error) => error ?? []))]
}

/** What went wrong; undefined when the pod is gone. */
function* evictAndWait(kube: Kube, pod: o.Pod, options: Sending, deadline: Us): Task<string | undefined> {
  const { say } = options
  const { name, namespace } = pod.metadata
  const failed = `error when evicting pods/"${name}" -n "${namespace}"`
  let active = pod
  for (;;) {
    yield* say('out', `evicting pod ${namespace}/${name}`)
    if ((yield* time()) >= deadline) return `${failed}: global timeout reached: ${goDuration(options.timeout!)}`
    try {
      yield* kube.evict(keyOf(active), graceOf(options))
      break
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined
      if (!isApiError(error, 'TooManyRequests')) return `${failed}: ${messageOf(error)}`
      yield* say('err', `${failed} (will retry after ${goDuration(RETRY)}): ${messageOf(error)}`)
      yield* sleep(RETRY)
    }
    active = (yield* tryRead(kube, active)) ?? active
  }
  const problem = yield* waitUntilGone(kube, [active], options, deadline, 'evicted')
  return problem && `error when waiting for pod "${name}" in namespace "${namespace}" to terminate: ${problem}`
}

function* deleteAll(kube: Kube, pods: readonly o.Pod[], options: Sending, deadline: Us): Task<readonly string[]> {
  for (const pod of pods)
    try {
      yield* kube.delete(Pod, keyOf(pod), graceOf(options))
    } catch (error) {
      if (!isApiError(error, 'NotFound')) return [messageOf(error)]
    }
  const problem = yield* waitUntilGone(kube, pods, options, deadline, 'deleted')
  return problem ? [problem] : []
}

const graceOf = ({ gracePeriodSeconds = -1 }: DrainOptions) => (gracePeriodSeconds >= 0 ? { gracePeriodSeconds } : {})

/** Looks once a second until all pods are gone or others of their names have come. What went wrong, if so. */
function* waitUntilGone(
  kube: Kube,
  pods: readonly o.Pod[],
  options: Sending,
  deadline: Us,
  verb: string,
): Task<string | undefined> {
  const { say, gone, skipWaitForDeleteTimeoutSeconds: skipAfter } = options
  let waiting = pods
  for (;;) {
    const left: o.Pod[] = []
    for (const pod of waiting) {
      const { name, uid } = pod.metadata
      try {
        const found = yield* kube.read(Pod, keyOf(pod))
        if (found.metadata.uid === uid) {
          if (isLongDeleted(found, skipAfter, yield* time()))
            yield* say('out', `pod "${name}" has DeletionTimestamp older than ${skipAfter} seconds, skipping`)
          else left.push(pod)
          continue
        }
      } catch (error) {
        if (!isApiError(error, 'NotFound')) {
          yield* say('out', `pod/${name} ${verb === 'evicted' ? 'eviction' : 'deletion'} failed`)
          return messageOf(error)
        }
      }
      gone.push(keyOf(pod))
      yield* say('out', `pod/${name} ${verb}`)
    }
    waiting = left
    if (waiting.length === 0) return undefined
    const now = yield* time()
    if (now + POLL >= deadline) {
      yield* sleep(Math.max(0, deadline - now))
      return 'context deadline exceeded'
    }
    yield* sleep(POLL)
  }
}

function* tryRead(kube: Kube, pod: o.Pod): Task<o.Pod | undefined> {
  try {
    return yield* kube.read(Pod, keyOf(pod))
  } catch (error) {
    messageOf(error)
    return undefined
  }
}

/** As Go prints a duration: `5s`, `1m0s`, `1h0m0s`. */
function goDuration(duration: Us): string {
  const total = duration / 1e6
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60]
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`
}

/** The message of an error of the API server; any other error is thrown. */
function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) throw error
  return error.message
}
