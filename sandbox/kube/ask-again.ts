import { sleep, type Task } from '../world/actor.ts'
import { seconds } from '../world/time.ts'
import { ApiError } from './errors.ts'

/** Tries of a request the server asks to repeat later. */
const MAX_TRIES = 10

/** Makes a request, and makes it again as long as the server says after how many seconds to. Follows k8s.io/client-go/rest/with_retry.go. */
export function* askAgain<T>(request: () => Task<T>): Task<T> {
  for (let tries = 1; ; tries++) {
    try {
      return yield* request()
    } catch (error) {
      const after = error instanceof ApiError ? error.details.retryAfterSeconds : undefined
      if (!after || tries >= MAX_TRIES) throw error
      yield* sleep(seconds(after))
    }
  }
}
