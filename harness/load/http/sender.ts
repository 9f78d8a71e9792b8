import type { RequestRecord } from '../../../sandbox/journal/record.ts'
import type { Us } from '../../../sandbox/world/time.ts'
import type { RetryPolicy } from '../retry.ts'
import type { Planned } from '../schedule.ts'

/** Where requests go. */
export interface SendTarget {
  /** Of the route: `http://127.0.0.1:8000/v1/chat/completions`. */
  readonly url: URL
  /** Beyond what every request has: authorization and the like. */
  readonly headers: Readonly<Record<string, string>>
}

/** One request of the schedule, ready to be sent. `planned.at` counts from the load's start. */
export interface PreparedRequest {
  readonly number: number
  readonly planned: Planned
  /** JSON. */
  readonly body: string
}

/**
 * How a request ended, finer than `outcome`: `abort`: the server ended it early in good form; `stream-error`: an error event under status
 * 200; `empty`: whole, but without a single token; `truncated`: no end mark.
 */
export type Ended = Exclude<RequestRecord['outcome'], 'no-endpoints'> | 'abort' | 'stream-error' | 'empty'

/** What a real sender records: as the simulated one, and what only a real client sees. Times in µs since the load's start. */
export interface LoadRecord extends RequestRecord {
  readonly ended: Ended
  /** When its first attempt left; undefined where it never did. */
  readonly sentAt: Us | undefined
  /** Tokens it asked for; `outputTokens` are those that came, `promptTokens` those planned. */
  readonly askedTokens: number
  /** As the server counts them, where it says. */
  readonly gotPromptTokens: number | undefined
  readonly cachedTokens: number | undefined
  /** Between pieces of the answer that carry text, in order. */
  readonly itlUs: readonly Us[]
  /** What the server or the connection said where it went wrong. */
  readonly why: string | undefined
}

/** What every sender of real requests is given. */
export interface SendOptions {
  readonly target: SendTarget
  /** In the order of time. */
  readonly requests: Iterable<PreparedRequest>
  readonly seed: number
  /** Names requests, as the journal of a trial does. */
  readonly server: string
  readonly retry: RetryPolicy | undefined
  /** Never more sockets at once: what comes beyond waits, and its wait counts. */
  readonly maxOpen: number
  /** False: every request has a connection of its own. */
  readonly keepAlive: boolean
  readonly ended: (record: LoadRecord) => void
}

/** A load under way. */
export interface SendingLoad {
  /** When all have been sent and have ended; rejects where the sender itself fails. */
  readonly done: Promise<void>
  /** Since the load's start. */
  now(): Us
  sent(): number
  /** Sent and not ended. */
  open(): number
  /** Ends at once: what is open is recorded as unfinished. */
  stop(): void
}
