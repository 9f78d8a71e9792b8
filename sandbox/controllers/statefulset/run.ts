import { allSettled, type Task } from '../../world/actor.ts'

const BATCH_MAX = 500

/**
 * A step for each item, in batches of 1, 2, 4 …; after a batch with a failure the rest is not tried and the first is thrown.
 * Follows slowStartBatch in pkg/controller/statefulset/stateful_set_control.go.
 */
export function* requestUpwards<T>(items: readonly T[], step: (item: T) => Task<unknown>): Task {
  let from = 0
  for (let size = 1; from < items.length; size = Math.min(2 * size, BATCH_MAX)) {
    const outcomes = yield* allSettled(items.slice(from, from + size).map((item) => step(item)))
    for (const outcome of outcomes) if ('error' in outcome) throw outcome.error
    from += size
  }
}
