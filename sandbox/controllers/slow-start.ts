import { ApiError } from '../kube/errors.ts'
import { allSettled, type Task } from '../world/actor.ts'

/**
 * Makes `count` requests in batches of 1, 2, 4 …; after a batch with a failure the rest is not tried.
 * Follows slowStartBatch in pkg/controller/replicaset/replica_set.go.
 */
export function* slowStart(count: number, request: () => Task): Task<{ done: number; error: ApiError | undefined }> {
  let done = 0
  let batch = Math.min(count, 1)
  while (batch > 0) {
    const outcomes = yield* allSettled(Array.from({ length: batch }, request))
    const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []))
    done += batch - errors.length
    const bug = errors.find((error) => !(error instanceof ApiError))
    if (bug) throw bug
    if (errors.length > 0) return { done, error: errors[0] as ApiError }
    batch = Math.min(2 * batch, count - done)
  }
  return { done, error: undefined }
}
