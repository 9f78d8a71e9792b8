import { expect, it } from 'vitest'
import { Answer } from '../http/answer.ts'
import { type Response, told } from './measure.ts'
import { failureText, unfinished } from './record.ts'

const chunk = (delta: object, finish: string | null = null) =>
  JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })
const USAGE = JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } })
const WHOLE = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'a' }),
  chunk({ content: 'b' }, 'length'),
  USAGE,
  '[DONE]',
]

/** The record of a request meant for 1,000 µs whose events came every 10,000 µs. */
function record(events: readonly string[], response: Partial<Response> = {}) {
  const answer = new Answer()
  for (const [i, data] of events.entries()) answer.event(data, 20_000 + i * 10_000)
  const endedAt = 10_000 + events.length * 10_000
  return told({
    number: 4,
    intendedAt: 1_000,
    sentAt: 1_500,
    endedAt,
    answer,
    response: { status: 200, body: '', error: '', sentAt: 0, ...response },
  })
}

it('counts from the intended time, from the first text on', () => {
  expect(record(WHOLE)).toEqual({
    number: 4,
    at: 60_000,
    outcome: 'ok',
    ended: 'ok',
    status: undefined,
    intendedAt: 1_000,
    sentAt: 1_500,
    ttftUs: 29_000,
    e2eUs: 59_000,
    outputTokens: 3,
    gotPromptTokens: 7,
    cachedTokens: undefined,
    itlUs: [10_000],
    why: undefined,
  })
})

it.each([
  ['ok', WHOLE, {}],
  ['ok', WHOLE, { error: 'unexpected EOF' }],
  ['truncated', WHOLE.slice(0, -1), {}],
  ['truncated', [WHOLE[0]!, '[DONE]'], {}],
  ['empty', [WHOLE[0]!, chunk({}, 'stop'), '[DONE]'], {}],
  ['abort', [WHOLE[1]!, chunk({}, 'abort'), '[DONE]'], {}],
  ['stream-error', [WHOLE[1]!, '{"error":{"message":"gone"}}'], {}],
  ['reset', WHOLE.slice(0, 2), { error: 'unexpected EOF' }],
  ['reset', [], { status: 0, error: 'Post "http://h": EOF' }],
  ['refused', [], { status: 0, error: 'Post "http://h": dial tcp 127.0.0.1:1: connect: connection refused' }],
  ['timeout', WHOLE.slice(0, 2), { error: 'request timeout after 10s: context deadline exceeded' }],
  ['timeout', [], { status: 0, error: 'request timeout after 10s: context deadline exceeded' }],
  ['http', [], { status: 503, body: '{"error":{"message":"overloaded"}}' }],
  ['http', [], { status: 204 }],
] as const)('calls it %s', (ended, events, response) => {
  expect(record(events, response).ended).toBe(ended)
})

it('takes an answer that is not streamed for what it is', () => {
  const body = JSON.stringify({
    choices: [{ message: { content: 'all of it' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 3 },
  })
  expect(record([], { body })).toMatchObject({ ended: 'ok', ttftUs: 9_000, e2eUs: 9_000, outputTokens: 3 })
})

it('says what went wrong, and whose fault it was', () => {
  expect(failureText(record([], { status: 400, body: '{"error":{"message":"zu groß"}}' }))).toBe('zu groß')
  const local = 'Post "http://h": dial tcp 127.0.0.1:1: socket: too many open files'
  expect(failureText(record([], { status: 0, error: local }))).toBe(`this machine: ${local}`)
  expect(failureText(record(WHOLE))).toBeUndefined()
})

it('knows of a request under way only that it was', () => {
  const planned = {
    at: 5,
    promptTokens: 1,
    outputTokens: 1,
    timeoutUs: 1,
    tenant: undefined,
    prefix: undefined,
    priority: undefined,
  }
  expect(unfinished({ number: 2, planned, body: '' }, 6, 100)).toMatchObject({
    number: 2,
    at: 100,
    ended: 'unfinished',
    intendedAt: 5,
    sentAt: 6,
  })
})
