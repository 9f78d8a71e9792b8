import { expect, test } from 'vitest'
import { WireError } from '../../errors.ts'
import { ANSWERING, BEGAN, KeptStream, likely, step, TIMES } from '../test-kit.ts'
import { HermesToolParser } from '../tools/hermes.ts'
import type { ChatAnswering, ToolAnswering } from './answering.ts'
import { ChatStream } from './stream.ts'
import { type ChatResult, WholeChat } from './whole.ts'

const CHAT: ChatAnswering = {
  ...ANSWERING,
  role: 'assistant',
  promptTokenIds: [2, 595, 3],
  promptText: undefined,
  echo: undefined,
  tools: undefined,
}
const TOOLS: ToolAnswering = {
  choice: 'auto',
  parallel: true,
  includeReasoning: true,
  parser: () => new HermesToolParser(),
  newId: () => 'chatcmpl-tool-1',
}
const HEAD = '"id":"chatcmpl-abc","object":"chat.completion.chunk","created":1795303955,"model":"tiny-llama"'
const FINISH = { reason: 'length', stopReason: null } as const
const CALL = '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>'

/** Chunks of a stream, without what all have in common. */
function streamed(answering: ChatAnswering, play: (stream: ChatStream) => void): readonly string[] {
  const out = new KeptStream()
  const stream = new ChatStream(answering, out)
  play(stream)
  expect(out.state).toBe('ended')
  return out.chunks.map((chunk) => chunk.replace(HEAD, '…').replace(/\n\n$/, ''))
}

function whole(answering: ChatAnswering, play: (chat: WholeChat) => void): ChatResult {
  let result: ChatResult | undefined
  const chat = new WholeChat(
    answering,
    (given) => {
      result = given
    },
    (error) => {
      throw error
    },
  )
  play(chat)
  chat.ended(TIMES)
  return result!
}

test('a stream tells the role with the first output, then each output, and signs the last', () => {
  const chunks = streamed(CHAT, (stream) => {
    stream.began(BEGAN)
    stream.output({ index: 0, text: '\u0001"é\u2028', tokenIds: [195] })
    stream.output({ index: 0, text: '', tokenIds: [196] })
    stream.output({ index: 0, text: 'his', tokenIds: [721], finish: FINISH })
    stream.ended(TIMES)
  })
  expect(chunks).toEqual([
    'data: {…,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}',
    'data: {…,"choices":[{"index":0,"delta":{"content":"\\u0001\\"é\u2028"},"logprobs":null,"finish_reason":null,"token_ids":null}]}',
    'data: {…,"choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":null,"token_ids":null}]}',
    'data: {…,"choices":[{"index":0,"delta":{"content":"his"},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}],"system_fingerprint":"vllm-0.32.0-8d23d643"}',
    'data: [DONE]',
  ])
})

test('usage goes on every chunk and on one of its own, which then carries the fingerprint', () => {
  const answering = { ...CHAT, includeUsage: true, continuousUsage: true, promptDetails: true, metrics: true }
  const chunks = streamed(answering, (stream) => {
    stream.began({ cachedTokens: 2, createdCacheTokens: 0 })
    stream.output({ index: 0, text: 'a', tokenIds: [7, 8], finish: FINISH })
    stream.ended(TIMES)
  })
  expect(chunks).toEqual([
    'data: {…,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":3,"total_tokens":3,"completion_tokens":0,"completion_tokens_details":null},"prompt_token_ids":null,"prompt_text":null}',
    'data: {…,"choices":[{"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}],"usage":{"prompt_tokens":3,"total_tokens":5,"completion_tokens":2,"completion_tokens_details":null}}',
    'data: {…,"choices":[],"usage":{"prompt_tokens":3,"total_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":2,"created_cache_tokens":0}},"system_fingerprint":"vllm-0.32.0-8d23d643","metrics":{"time_to_first_token_ms":10.0,"generation_time_ms":20.0,"queue_time_ms":1.0,"mean_itl_ms":20.0,"tokens_per_second":66.66666666666667}}',
    'data: [DONE]',
  ])
})

test('what the engine refuses is the only event before the last', () => {
  const chunks = streamed(CHAT, (stream) => stream.failed(new WireError(400, 'BadRequestError', 'no «é»', 'stop')))
  expect(chunks).toEqual([
    'data: {"error": {"message": "no \\u00ab\\u00e9\\u00bb", "type": "BadRequestError", "param": "stop", "code": 400}}',
    'data: [DONE]',
  ])
})

test('a call is told by its name, then by pieces of its arguments; outputs without news are not told', () => {
  const chunks = streamed({ ...CHAT, tools: TOOLS }, (stream) => {
    for (const text of ['Well <', 'tool_call>\n{"na', 'me": "f", "argu', 'ments": {"a"', ': 1}}', '\n</tool_call>'])
      stream.output({ index: 0, text, tokenIds: [1] })
    stream.output({ index: 0, text: '', tokenIds: [1], finish: { reason: 'stop', stopReason: null } })
    stream.ended(TIMES)
  })
  const deltas = chunks.flatMap((chunk) => /"delta":(\{.*\}),"logprobs"/.exec(chunk)?.[1] ?? [])
  expect(deltas).toEqual([
    '{"role":"assistant","content":""}',
    '{"content":"Well "}',
    '{"content":null,"tool_calls":[{"id":"chatcmpl-tool-1","type":"function","index":0,"function":{"name":"f"}}]}',
    '{"content":null,"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\""}}]}',
    '{"content":null,"tool_calls":[{"index":0,"function":{"arguments":": 1}"}}]}',
    '{}',
  ])
  expect(chunks.at(-2)).toContain('"finish_reason":"tool_calls","stop_reason":null')
})

test.each([
  { choice: 'auto', reason: 'length', content: null, finish: 'tool_calls', calls: 1 },
  { choice: 'required', reason: 'stop', content: '', finish: 'tool_calls', calls: 1 },
  { choice: 'required', reason: 'length', content: '', finish: 'length', calls: 1 },
  { choice: 'named', reason: 'stop', content: '', finish: 'stop', calls: 1 },
  { choice: 'unset', reason: 'stop', content: null, finish: 'stop', calls: 0 },
  { choice: 'none', reason: 'stop', content: CALL, finish: 'stop', calls: 0 },
] as const)('a whole answer with a call, choice $choice, ended by $reason', ({ choice, reason, ...expected }) => {
  const { choices } = whole({ ...CHAT, tools: { ...TOOLS, choice } }, (chat) =>
    chat.output({ index: 0, text: CALL, tokenIds: [1, 2], finish: { reason, stopReason: null } }),
  )
  const [{ message, finishReason }] = choices as [(typeof choices)[number]]
  expect({ content: message.content, finish: finishReason, calls: message.calls.length }).toEqual(expected)
})

test('a call that was cut is text', () => {
  const cut = CALL.slice(0, -20)
  const { choices } = whole({ ...CHAT, tools: { ...TOOLS, choice: 'required' } }, (chat) =>
    chat.output({ index: 0, text: cut, tokenIds: [1], finish: FINISH }),
  )
  expect(choices[0]?.message).toEqual({ role: 'assistant', content: cut, calls: [] })
})

test('a whole answer has all its nulls, in their order', () => {
  const result = whole({ ...CHAT, metrics: true, echo: 'Hi' }, (chat) => {
    chat.began(BEGAN)
    chat.output({ index: 0, text: 'a', tokenIds: [7] })
    chat.output({ index: 0, text: 'b', tokenIds: [8], finish: { reason: 'stop', stopReason: 8 } })
  })
  expect(result.json()).toBe(
    '{"id":"chatcmpl-abc","object":"chat.completion","created":1795303955,"model":"tiny-llama","choices":[{"index":0,"message":{"role":"assistant","content":"Hiab","refusal":null,"annotations":null,"audio":null,"function_call":null,"reasoning":null},"logprobs":null,"finish_reason":"stop","stop_reason":8,"token_ids":null,"routed_experts":null}],"service_tier":null,"system_fingerprint":"vllm-0.32.0-8d23d643","usage":{"prompt_tokens":3,"total_tokens":5,"completion_tokens":2,"prompt_tokens_details":null,"completion_tokens_details":null},"prompt_logprobs":null,"prompt_token_ids":null,"prompt_text":null,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":{"time_to_first_token_ms":10.0,"generation_time_ms":20.0,"queue_time_ms":1.0,"mean_itl_ms":20.0,"tokens_per_second":66.66666666666667,"speculative_decoding":null}}',
  )
})

test('probabilities list the sampled token first, and only as many as asked for', () => {
  const tokens = [step(likely(195, '\u0001', -6.5, 3), likely(381, 'q', -6, 1), likely(12, 'é', -Infinity, 2))]
  const asked = (options: Partial<NonNullable<ChatAnswering['logprobs']>>) => {
    const logprobs = { top: 1, all: false, asTokenIds: false, ...options }
    const result = whole({ ...CHAT, logprobs }, (chat) =>
      chat.output({ index: 0, text: '\u0001', tokenIds: [195], logprobs: tokens, finish: FINISH }),
    )
    return (JSON.parse(result.json()) as { choices: { logprobs: { content: unknown[] } }[] }).choices[0]?.logprobs
      .content[0]
  }
  const sampled = { token: '\u0001', logprob: -6.5, bytes: [1] }
  expect(asked({})).toEqual({ ...sampled, top_logprobs: [sampled] })
  expect(asked({ top: 0, all: true })).toEqual({
    ...sampled,
    top_logprobs: [
      sampled,
      { token: 'q', logprob: -6, bytes: [113] },
      { token: 'é', logprob: -9999, bytes: [195, 169] },
    ],
  })
  const placeholder = { token: 'token_id:195', logprob: -6.5 }
  expect(asked({ asTokenIds: true })).toEqual({
    ...placeholder,
    bytes: [1],
    top_logprobs: [{ ...placeholder, bytes: [116, 111, 107, 101, 110, 95, 105, 100, 58, 49, 57, 53] }],
  })
})
