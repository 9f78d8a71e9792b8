import type { RandomStream } from '../../sandbox/world/random.ts'
import { ms, seconds, type Us } from '../../sandbox/world/time.ts'

/** When a client sends a request again. JSON. Without one it never does: a failure is a failure. */
export interface RetryPolicy {
  /** Requests sent at most, the first included. */
  readonly attempts: number
  /** What is tried again: statuses, `refused` (no connection), `reset` (cut off before the first token). */
  readonly on: readonly (number | 'refused' | 'reset')[]
  /** Before the second attempt; doubled for each one after. */
  readonly backoffUs: Us
  readonly maxBackoffUs: Us
}

/** What OpenAI's Python client does by itself: twice more, half a second and then a second later. */
export const OPENAI_CLIENT: RetryPolicy = {
  attempts: 3,
  on: [408, 409, 429, 500, 502, 503, 504, 'refused', 'reset'],
  backoffUs: ms(500),
  maxBackoffUs: seconds(8),
}

interface Failure {
  readonly kind: 'no-endpoints' | 'refused' | 'reset' | 'http'
  readonly status?: number
  /** As the server's Retry-After asks. */
  readonly retryAfterUs?: Us
}

/** How long to wait before the next attempt; undefined when there is none. `made`: attempts so far. */
export function retryDelay(
  policy: RetryPolicy | undefined,
  made: number,
  failure: Failure,
  random: RandomStream,
): Us | undefined {
  if (!policy || made >= policy.attempts) return undefined
  const what = failure.kind === 'http' ? failure.status : failure.kind === 'no-endpoints' ? 'refused' : failure.kind
  if (what === undefined || !policy.on.includes(what)) return undefined
  if (failure.retryAfterUs !== undefined) return failure.retryAfterUs
  const backoff = Math.min(policy.maxBackoffUs, policy.backoffUs * 2 ** (made - 1))
  return Math.round(backoff * random.between(0.75, 1))
}
