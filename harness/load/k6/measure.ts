import type { Us } from '../../../sandbox/world/time.ts'
import type { Answer } from '../http/answer.ts'
import { endOf, OUTCOMES } from '../http/ended.ts'
import type { Ended, LoadRecord } from '../http/sender.ts'

/** What `sse.open` of our extension returns; its time in milliseconds since 1970. */
export interface Response {
  readonly status: number
  /** Of an answer that is no event stream. */
  readonly body: string
  readonly error: string
  readonly sentAt: number
}

/** A request that is over. Times in microseconds since the load's start. */
export interface Over {
  readonly number: number
  readonly intendedAt: Us
  readonly sentAt: Us
  /** Its mark `[DONE]`, or what ended it otherwise. */
  readonly endedAt: Us
  readonly answer: Answer
  readonly response: Response
}

/** What k6 tells of a request: all that the plan does not say already. */
export type Told = Omit<LoadRecord, 'type' | 'id' | 'target' | 'promptTokens' | 'askedTokens' | 'tenant'> & {
  readonly number: number
}

/** As our own sender records it. It runs inside k6: no Node in here. */
export function told({ number, intendedAt, sentAt, endedAt, answer, response }: Over): Told {
  if (response.status === 200 && response.body !== '') {
    // a server that does not stream: all of it comes at once
    answer.event(response.body, endedAt)
    answer.done = true
  }
  const ended = endedBy(answer, response)
  const outcome = OUTCOMES[ended]
  return {
    number,
    at: endedAt,
    outcome,
    ended,
    status: NO_STATUS.has(ended) ? undefined : response.status,
    intendedAt,
    sentAt,
    ttftUs: answer.firstTextAt === undefined ? undefined : answer.firstTextAt - intendedAt,
    e2eUs: outcome === 'ok' || outcome === 'truncated' ? endedAt - intendedAt : undefined,
    outputTokens: answer.outputTokens,
    gotPromptTokens: answer.usage?.prompt_tokens,
    cachedTokens: answer.usage?.prompt_tokens_details?.cached_tokens ?? undefined,
    itlUs: answer.itlUs,
    why: ended === 'ok' ? undefined : (answer.error ?? (response.error || response.body || undefined)),
  }
}

/** Ends of which the status says nothing. */
const NO_STATUS: ReadonlySet<Ended> = new Set(['ok', 'refused', 'reset', 'timeout'])

function endedBy(answer: Answer, { status, error }: Response): Ended {
  if (answer.done || answer.error !== undefined) return endOf(answer)
  if (error.startsWith('request timeout')) return 'timeout'
  if (status === 0) return error.includes('dial ') ? 'refused' : 'reset'
  if (status !== 200) return 'http'
  return error === '' ? endOf(answer) : 'reset'
}
