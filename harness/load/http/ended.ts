import type { RequestRecord } from '../../../sandbox/journal/record.ts'
import type { Answer } from './answer.ts'
import type { Ended } from './sender.ts'

/** How the journal calls it: an error within a stream cuts it as a lost connection does. */
export const OUTCOMES: Readonly<Record<Ended, RequestRecord['outcome']>> = {
  ok: 'ok',
  truncated: 'truncated',
  abort: 'truncated',
  empty: 'truncated',
  'stream-error': 'reset',
  reset: 'reset',
  refused: 'refused',
  http: 'http',
  timeout: 'timeout',
  unfinished: 'unfinished',
}

/** What an answer came to whose response, with status 200, is over or has had its end mark. */
export function endOf({ error, finishReason, done, firstTextAt }: Answer): Ended {
  if (error !== undefined) return 'stream-error'
  if (finishReason === 'abort') return 'abort'
  if (!done || finishReason === undefined) return 'truncated'
  return firstTextAt === undefined ? 'empty' : 'ok'
}
