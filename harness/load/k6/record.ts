import type { Us } from '../../../sandbox/world/time.ts'
import { errorText } from '../http/answer.ts'
import type { PreparedRequest } from '../http/sender.ts'
import { LOCAL_MARK } from '../http/sending.ts'
import type { Told } from './measure.ts'

/** A request that was under way when the load was stopped. */
export const unfinished = ({ number, planned }: PreparedRequest, sentAt: Us, now: Us): Told => ({
  number,
  at: now,
  outcome: 'unfinished',
  ended: 'unfinished',
  intendedAt: planned.at,
  sentAt,
  outputTokens: 0,
  gotPromptTokens: undefined,
  cachedTokens: undefined,
  itlUs: [],
  why: undefined,
})

/** What went wrong: in the words of the server, where it refused, and marked where it was this machine. */
export function failureText({ ended, why }: Pick<Told, 'ended' | 'why'>): string | undefined {
  if (why === undefined) return undefined
  // the text has one character a byte for whoever reads bodies as they come
  if (ended === 'http') return errorText(Buffer.from(why).toString('latin1'))
  return LOCAL.test(why) ? `${LOCAL_MARK}${why}` : why
}

const LOCAL = /too many open files|cannot assign requested address|no buffer space available|cannot allocate memory/
