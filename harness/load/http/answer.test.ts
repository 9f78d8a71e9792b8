import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Answer, errorText } from './answer.ts'
import { endOf } from './ended.ts'
import { SseReader } from './sse.ts'

/** The answer whose events come one a millisecond. */
function answerOf(stream: string): Answer {
  const answer = new Answer()
  let at = 0
  new SseReader((data) => answer.event(data, ++at * 1000)).push(Buffer.from(stream).toString('latin1'))
  return answer
}

interface Piece {
  readonly choices?: {
    readonly finish_reason: string | null
    readonly text?: string
    readonly delta?: { readonly content?: string; readonly tool_calls?: unknown[] }
  }[]
}

const recordings = globSync('fixtures/vllm/recordings/*/*.jsonl', {
  cwd: new URL('../../../', import.meta.url).pathname,
}).flatMap((file) =>
  readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; answer?: string })
    .flatMap(({ name, answer }) => (answer?.startsWith('data: ') ? [{ name, answer }] : [])),
)

describe('streams of a real vLLM', () => {
  it('are read as JSON says', () => {
    expect(recordings.length).toBeGreaterThan(40)
    for (const { name, answer: stream } of recordings) {
      const answer = answerOf(stream)
      const events = stream.split('\n\n').filter((event) => event !== '')
      const pieces = events
        .filter((event) => event !== 'data: [DONE]')
        .map((event) => JSON.parse(event.slice('data: '.length)) as Piece)
      const withText = pieces.flatMap(({ choices = [] }, i) =>
        choices.some(({ text, delta }) => text || delta?.content || delta?.tool_calls?.length) ? [i] : [],
      )
      expect([name, answer.firstTextAt, answer.itlUs.length]).toEqual([
        name,
        withText[0] === undefined ? undefined : (withText[0] + 1) * 1000,
        Math.max(0, withText.length - 1),
      ])
      expect([name, answer.done]).toEqual([name, events.at(-1) === 'data: [DONE]'])
    }
  })
})

const piece = (delta: object, reason: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] })}\n\n`
const role = piece({ role: 'assistant', content: '' })

describe('an answer', () => {
  it('begins with its first text, not with its role, and counts thoughts and tool calls', () => {
    expect(answerOf(role + piece({ content: 'a' })).firstTextAt).toBe(2000)
    expect(answerOf(role + piece({ reasoning_content: 'hm' })).firstTextAt).toBe(2000)
    expect(answerOf(role + piece({ tool_calls: [{ index: 0 }] })).firstTextAt).toBe(2000)
    expect(answerOf(role + piece({}, 'stop')).firstTextAt).toBeUndefined()
  })

  it('has the tokens its server counts, or else its pieces', () => {
    const two = role + piece({ content: 'a' }) + piece({ content: 'b' }, 'stop')
    expect(answerOf(two).outputTokens).toBe(2)
    const usage =
      'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}}\n\n'
    const answer = answerOf(`${two}${usage}data: [DONE]\n\n`)
    expect([answer.outputTokens, answer.usage?.prompt_tokens_details?.cached_tokens, answer.itlUs]).toEqual([
      5,
      4,
      [1000],
    ])
  })

  it('takes no gap from empty pieces in between', () => {
    const answer = answerOf(role + piece({ content: 'a' }) + piece({ content: '' }) + piece({ content: 'b"\\u00e9é' }))
    expect(answer.itlUs).toEqual([2000])
  })

  it('ends well only with a reason and its mark', () => {
    const text = role + piece({ content: 'a' })
    const done = 'data: [DONE]\n\n'
    expect(endOf(answerOf(text + piece({}, 'stop') + done))).toBe('ok')
    expect(endOf(answerOf(text + piece({}, 'stop')))).toBe('truncated')
    expect(endOf(answerOf(text + done))).toBe('truncated')
    expect(endOf(answerOf(text + piece({}, 'abort') + done))).toBe('abort')
    expect(endOf(answerOf(role + piece({}, 'stop') + done))).toBe('empty')
    expect(endOf(answerOf(`${text}data: {"error": {"message": "dead"}}\n\n${done}`))).toBe('stream-error')
    expect(endOf(answerOf('data: not json\n\ndata: 3\n\n'))).toBe('truncated')
  })
})

it('errors say what the server says', () => {
  expect(errorText('{"error":{"message":"caf\xc3\xa9 full"}}')).toBe('café full')
  expect(errorText('{"detail":"Not Found"}')).toBe('Not Found')
  expect(errorText('{"error":"Unauthorized"}')).toBe('Unauthorized')
  expect(errorText('<html>')).toBe('<html>')
})
