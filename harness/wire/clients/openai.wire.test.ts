import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StartedServer } from '../../../sandbox/vllm/real/server-process.ts'
import { TINY_LLAMA } from '../places.ts'
import { startMock } from '../servers.ts'

const messages = [{ role: 'user' as const, content: 'Hello world, how are you today?' }]
const model = 'tiny-llama'

describe('npm’s openai, unmodified', () => {
  let server: StartedServer
  let client: OpenAI

  beforeAll(async () => {
    const tools = ['--enable-auto-tool-choice', '--tool-call-parser', 'hermes', '--api-key', 'sk-test']
    const args = [TINY_LLAMA, '--served-model-name', model, '--max-model-len', '2048', ...tools]
    server = await startMock({ vllm: '0.32.0', args, environment: {} })
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'sk-test', maxRetries: 0 })
  }, 60_000)
  afterAll(() => server.stop())

  it('lists the models', async () => {
    const ids: string[] = []
    for await (const { id } of client.models.list()) ids.push(id)
    expect(ids).toEqual([model])
  })

  it('chats', async () => {
    const answer = await client.chat.completions.create({ model, messages, max_tokens: 5 })
    expect(answer.choices[0]!.finish_reason).toBe('length')
    expect(answer.choices[0]!.message.content).not.toBe('')
    expect(answer.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 })
  })

  it('streams, with usage', async () => {
    const options = { model, messages, max_tokens: 8, stream: true as const, stream_options: { include_usage: true } }
    const finishes: (string | null)[] = []
    let text = ''
    let tokens: number | undefined
    for await (const chunk of await client.chat.completions.create(options)) {
      text += chunk.choices[0]?.delta.content ?? ''
      if (chunk.choices[0]) finishes.push(chunk.choices[0].finish_reason)
      tokens = chunk.usage?.completion_tokens ?? tokens
    }
    expect(text).not.toBe('')
    expect(finishes.at(-1)).toBe('length')
    expect(tokens).toBe(8)
  })

  it('completes', async () => {
    const answer = await client.completions.create({ model, prompt: 'The quick brown fox', max_tokens: 4, logprobs: 1 })
    expect(answer.choices[0]!.logprobs?.tokens).toHaveLength(4)
  })

  it('parses an answer that follows a schema', async () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'integer' } },
      required: ['a'],
      additionalProperties: false,
    }
    const format = { type: 'json_schema' as const, json_schema: { name: 'n', schema, strict: true } }
    const answer = await client.chat.completions.create({ model, messages, response_format: format })
    expect(typeof JSON.parse(answer.choices[0]!.message.content!).a).toBe('number')
  })

  it('is asked to call a tool', async () => {
    const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const answer = await client.chat.completions.create({
      model,
      messages,
      tools: [{ type: 'function', function: { name: 'weather', parameters } }],
      tool_choice: 'required',
    })
    const [call] = answer.choices[0]!.message.tool_calls ?? []
    if (call?.type !== 'function') throw new Error(`no call of a function: ${JSON.stringify(answer.choices[0])}`)
    expect(call.function.name).toBe('weather')
    expect(typeof JSON.parse(call.function.arguments).city).toBe('string')
  })

  it('throws its own errors', async () => {
    const ask = (body: object) => client.chat.completions.create({ model, messages, max_tokens: 1, ...body })
    await expect(ask({ model: 'nope' })).rejects.toBeInstanceOf(OpenAI.NotFoundError)
    await expect(ask({ temperature: -1 })).rejects.toMatchObject({
      status: 400,
      type: 'BadRequestError',
      param: 'temperature',
    })
    await expect(client.embeddings.create({ model, input: 'a' })).rejects.toBeInstanceOf(OpenAI.NotFoundError)
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'no', maxRetries: 0 })
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  })

  it('leaves a stream, and the server stops generating', async () => {
    const stream = await client.chat.completions.create({ model, messages, max_tokens: 2_000, stream: true })
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
    await expect
      .poll(async () => await server.metrics(), { timeout: 5_000 })
      .toMatch(/num_requests_running\{[^}]*\} 0\.0/)
  })
})
