import { ApiError } from '../kube/errors.ts'
import { allSettled, type Task } from '../world/actor.ts'

type Request = () => Task

/**
 * Makes `count` requests in batches of 1, 2, 4 …; after a batch with a failure the rest is not tried.
 * Follows slowStartBatch in pkg/controller/replicaset/replica_set.go.
 */
export function* slowStart(count: number, request: Request): Task<{ done: number; error: ApiError | undefined }> {
  let done = 0
  let batch = Math.min(count, 1)
  while (batch > 0) {
    const errors = (yield* requestAll(Array.from({ length: batch }, () => request))).filter(
      (error) => error !== undefined,
    )
    done += batch - errors.length
    if (errors.length > 0) return { done, error: errors[0] }
    batch = Math.min(2 * batch, count - done)
  }
  return { done, error: undefined }
}

/** Makes requests side by side; the API server's error for each that failed, in their order. Any other error is thrown. */
export function* requestAll(requests: readonly Request[]): Task<(ApiError | undefined)[]> {
  const outcomes = yield* allSettled(requests.map((request) => request()))
  return outcomes.map((outcome) => {
    if (!('error' in outcome)) return undefined
    if (!(outcome.error instanceof ApiError)) throw outcome.error
    return outcome.error
  })
}
