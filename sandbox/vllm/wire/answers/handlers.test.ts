import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../world/clock.ts'
import { ms } from '../../../world/time.ts'
import type { ServerSettings } from '../../flags/settings.ts'
import type { Exposition } from '../../server/exposition.ts'
import { generatorKit } from '../generation/test-kit.ts'
import { ROUTES } from '../router/table.ts'
import { AppUnderTest, type Said, servingWith } from '../router/test-kit.ts'
import type { ServedModel, WireFlags } from '../serving.ts'
import { chatTemplate } from '../template/chat-template.ts'
import { textOfModel } from '../text-of-model.ts'

const FOLDER = fileURLToPath(new URL('../../../../fixtures/vllm/tiny-llama', import.meta.url))
const unixSeconds = () => 1_795_303_955

function servedModel(): ServedModel {
  const text = textOfModel({ model: FOLDER, servedName: 'tiny-llama', vocabSize: 1024, unixSeconds })
  return {
    names: ['tiny-llama'],
    root: FOLDER,
    maxModelLen: 2048,
    tokenizer: text.tokenizer,
    template: text.template,
    templateOf: (source) => chatTemplate(source, text.templateContext),
    loras: new Map(),
  }
}

/** A server of tiny-llama without sockets, on a virtual clock. */
function server(flags: Partial<WireFlags> = {}) {
  const model = servedModel()
  const kit = generatorKit({ tokenizer: model.tokenizer, endless: true })
  const serving = servingWith({
    clock: kit.clock,
    engine: kit.generator,
    unixSeconds,
    model,
    settings: { dataParallelSize: { value: 1 } } as unknown as ServerSettings,
    metrics: { tools: undefined } as unknown as Exposition,
    loadGauges: () => [{ waiting: 0, kvCacheUsage: 0.25 }],
    flags: {
      systemFingerprint: 'vllm-0.32.0-8d23d643',
      responseRole: 'assistant',
      maxLogprobs: 20,
      toolCallParser: undefined,
      enableAutoToolChoice: false,
      ...flags,
    },
  })
  const app = new AppUnderTest(
    serving,
    ROUTES.filter(({ path }) => !/openapi|docs/.test(path)),
  )
  const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
    app.send('POST', path, {
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const ask = (...request: Parameters<typeof post>): Said => {
    const said = post(...request)
    kit.clock.runUntil(kit.clock.now + 60e6)
    return said
  }
  return { ...kit, app, post, ask }
}

const HELLO = [{ role: 'user', content: 'Hello world, how are you today?' }]
const events = ({ body }: Said) => body.split('\n\n').filter((event) => event !== '')
const TOOL = {
  type: 'function',
  function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] } },
}
const HERMES = { toolCallParser: 'hermes', enableAutoToolChoice: true }

describe('chats', () => {
  test('a stream begins at once, and its chunks come as the engine steps', () => {
    const { post, clock } = server()
    const said = post('/v1/chat/completions', { messages: HELLO, max_tokens: 20, stream: true })
    expect(said).toMatchObject({ status: 200, body: '', ended: false })
    const lengths = [ms(2), ms(100), ms(60_000)].map((after) => {
      clock.runUntil(after)
      return events(said).length
    })
    expect(lengths[0]).toBe(0)
    expect(lengths[1]).toBeGreaterThan(1)
    expect(lengths.at(-1)).toBe(22)
    expect(events(said).at(-1)).toBe('data: [DONE]')
    expect(said.ended).toBe(true)
  })

  test('the same request gives the same bytes, whole or in pieces the same text', () => {
    const body = { messages: HELLO, max_tokens: 12, temperature: 1, seed: 7 }
    const whole = server().ask('/v1/chat/completions', body)
    expect(server().ask('/v1/chat/completions', body).body).toBe(whole.body)
    const pieces = events(server().ask('/v1/chat/completions', { ...body, stream: true })).flatMap(
      (event) => /"content":("(?:[^"\\]|\\.)*")/.exec(event)?.[1] ?? '""',
    )
    const text = pieces.map((piece) => JSON.parse(piece) as string).join('')
    expect(JSON.parse(whole.body)).toMatchObject({
      choices: [{ message: { content: text }, finish_reason: 'length' }],
      usage: { prompt_tokens: 11, total_tokens: 23, completion_tokens: 12 },
    })
  })

  test('a client that leaves ends its request in the engine, and is told nothing more', () => {
    const { post, clock, host } = server()
    const said = post('/v1/chat/completions', { messages: HELLO, max_tokens: 500, stream: true })
    clock.runUntil(ms(100))
    expect(host.stats().running).toBe(1)
    const before = said.body
    said.leave()
    clock.runUntil(ms(60_000))
    expect(host.stats().running).toBe(0)
    expect(said.body).toBe(before)
  })

  test('what the engine refuses is status 400, but in a stream an event after status 200', () => {
    const body = { messages: HELLO, stop_token_ids: [99999] }
    const message = 'token_id(s) [99999] in stop_token_ids contain out-of-vocab token ids. Vocabulary size: 1024'
    const suffix = '(parameter=stop_token_ids, value=[99999])'
    const error = { message: `${message} ${suffix}`, type: 'BadRequestError', param: 'stop_token_ids', code: 400 }
    const whole = server().ask('/v1/chat/completions', body)
    expect([whole.status, whole.body]).toEqual([400, JSON.stringify({ error })])
    const streamed = server().ask('/v1/chat/completions', { ...body, stream: true })
    expect([streamed.status, ...events(streamed)]).toEqual([
      200,
      `data: {"error": {"message": "${error.message}", "type": "BadRequestError", "param": "stop_token_ids", "code": 400}}`,
      'data: [DONE]',
    ])
  })

  test('ids come from the header, then the body; the report of load stands in whole answers', () => {
    const { ask } = server()
    const body = { messages: HELLO, max_tokens: 1, request_id: 'mine' }
    const headers = { 'x-request-id': '', 'endpoint-load-metrics-format': 'TEXT' }
    expect(ask('/v1/chat/completions', body).body).toMatch(/^\{"id":"chatcmpl-mine"/)
    const said = ask('/v1/chat/completions', body, headers)
    expect(said.body).toMatch(/^\{"id":"chatcmpl-"/)
    expect(said.headers[0]).toEqual([
      'endpoint-load-metrics',
      'TEXT named_metrics.num_requests_waiting=0.0, named_metrics.kv_cache_usage_perc=0.25',
    ])
  })

  test('a tool that must be called is, with arguments that fit', () => {
    const said = server(HERMES).ask('/v1/chat/completions', {
      messages: HELLO,
      tools: [TOOL],
      tool_choice: 'required',
    })
    const [choice] = (JSON.parse(said.body) as { choices: [Record<string, unknown>] }).choices
    const { tool_calls: calls } = choice['message'] as {
      tool_calls: { function: { name: string; arguments: string } }[]
    }
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: '' } })
    expect(calls[0]?.function.name).toBe('f')
    expect(JSON.parse(calls[0]?.function.arguments ?? '')).toEqual({ a: expect.any(Number) as number })
  })

  test('a stream that says nothing for long says that it lives', () => {
    const { post, clock, host } = server({ sseKeepAliveSeconds: 5 })
    host.pause('all')
    const said = post('/v1/chat/completions', { messages: HELLO, max_tokens: 1, stream: true })
    clock.runUntil(ms(11_000))
    expect(said.body).toBe(': keep-alive\n\n: keep-alive\n\n')
    said.leave()
  })
})

describe('completions', () => {
  test('one bad prompt refuses all of them', () => {
    const said = server().ask('/v1/completions', { prompt: [[5], [99999]], max_tokens: 2 })
    expect([said.status, (JSON.parse(said.body) as { error: { message: string } }).error.message]).toEqual([
      400,
      'Token id 99999 is out of vocabulary',
    ])
  })

  test('several prompts with several choices each are one answer, and one count', () => {
    const body = { prompt: ['a', 'b'], max_tokens: 3, n: 2, temperature: 1, seed: 1 }
    const { choices, usage } = JSON.parse(server().ask('/v1/completions', body).body) as {
      choices: { index: number }[]
      usage: object
    }
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 12 })
  })
})

describe('other protocols', () => {
  const types = (said: Said) => events(said).map((event) => /^event: (\S+)/.exec(event)?.[1])

  test('messages: events of a text, usage at both ends', () => {
    const said = server().ask('/v1/messages', { model: 'tiny-llama', messages: HELLO, max_tokens: 2, stream: true })
    expect([...new Set(types(said))]).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(said.body).toContain('"usage":{"input_tokens":11,"output_tokens":0}')
    expect(said.body).toContain(
      '"delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"input_tokens":11,"output_tokens":2}',
    )
  })

  test('messages: refusals in the words of that protocol, but for fields', () => {
    const { ask } = server()
    expect(ask('/v1/messages', { model: 'x', messages: HELLO, max_tokens: 2 }).body).toBe(
      '{"type":"error","error":{"type":"NotFoundError","message":"The model `x` does not exist. Valid aliases: tiny-llama."}}',
    )
    expect(ask('/v1/messages', { model: 'x', messages: HELLO }).body).toMatch(/^\{"error":\{"message":"1 validation/)
  })

  test('messages: a call is a block of its own', () => {
    const tool = { name: 'f', input_schema: TOOL.function.parameters }
    const body = { model: 'tiny-llama', messages: HELLO, max_tokens: 100, tools: [tool], tool_choice: { type: 'any' } }
    const whole = JSON.parse(server(HERMES).ask('/v1/messages', body).body) as { content: object[] }
    expect(whole).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'f' }] })
    const streamed = server(HERMES).ask('/v1/messages', { ...body, stream: true })
    expect(streamed.body).toContain('"content_block":{"type":"tool_use","id":"chatcmpl-tool-')
    expect(streamed.body).toContain('"delta":{"stop_reason":"tool_use","stop_sequence":null}')
  })

  test('responses: numbered events, and what cannot be generated cuts the connection', () => {
    const body = { input: 'Hello', max_output_tokens: 3, stream: true }
    const said = server().ask('/v1/responses', body)
    const numbers = events(said).map((event) => Number(/"sequence_number":(\d+)/.exec(event)?.[1]))
    expect(numbers).toEqual([...numbers.keys()])
    expect([types(said)[0], types(said).at(-1)]).toEqual(['response.created', 'response.completed'])
    const cut = server().ask('/v1/responses', { ...body, logit_bias: { 99999: 1 } })
    expect([types(cut), cut.cut]).toEqual([['response.created', 'response.in_progress'], true])
  })

  test('responses: a call is an item of its own', () => {
    const tools = [{ type: 'function', ...TOOL.function }]
    const body = { input: 'Hello', tools, tool_choice: 'required' }
    const { output } = JSON.parse(server(HERMES).ask('/v1/responses', body).body) as { output: object[] }
    expect(output).toMatchObject([{ type: 'function_call', name: 'f', status: 'completed' }])
    const streamed = server(HERMES).ask('/v1/responses', { ...body, stream: true })
    expect(types(streamed)).toContain('response.function_call_arguments.done')
  })

  test('batches: a choice for each conversation', () => {
    const said = server().ask('/v1/chat/completions/batch', { messages: [HELLO, HELLO], max_tokens: 2 })
    expect(JSON.parse(said.body)).toMatchObject({
      choices: [{ index: 0 }, { index: 1 }],
      usage: { prompt_tokens: 22, completion_tokens: 4 },
    })
  })

  test('scores of labels among themselves sum to one', () => {
    const score = (ids: readonly number[]) => {
      const body = { query: 'Hello', items: [' world'], label_token_ids: ids }
      const { data } = JSON.parse(server().ask('/generative_scoring', body).body) as { data: [{ score: number }] }
      return data[0].score
    }
    expect(score([5, 6]) + score([6, 5])).toBeCloseTo(1, 9)
  })

  test('the one route of SageMaker takes chats and completions', () => {
    const { ask } = server()
    expect(ask('/invocations', { messages: HELLO, max_tokens: 1 }).body).toContain('"object":"chat.completion"')
    expect(ask('/invocations', { prompt: 'a', max_tokens: 1 }).body).toContain('"object":"text_completion"')
  })
})

test('tokens of a text and of a chat, and back', () => {
  const { ask } = server()
  const tokens = [595, 557, 17, 540, 421, 328, 580, 36]
  expect(ask('/tokenize', { prompt: HELLO[0]?.content, return_token_strs: true }).body).toBe(
    `{"count":8,"max_model_len":2048,"tokens":[${tokens}],"token_strs":["Hello","Ġworld",",","Ġhow","Ġare","Ġyou","Ġtoday","?"]}`,
  )
  expect(ask('/tokenize', { messages: HELLO }).body).toContain('"count":11')
  expect(ask('/detokenize', { tokens: [300, 301, 302, 99999] }).body).toBe('{"prompt":" lver in"}')
  expect(ask('/detokenize', { tokens: [2 ** 32] }).body).toContain('number too large to fit in target type')
})

test('the clock is virtual', () => expect(server().clock).toBeInstanceOf(VirtualClock))
