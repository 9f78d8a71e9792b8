import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { ms } from '../../../world/time.ts'
import { type RunningServer, type ServeOptions, serveVllm } from './serve.ts'

const MODEL = 'meta-llama/Llama-3.1-8B-Instruct'

class Server {
  readonly lines: string[] = []
  readonly exited: Promise<number>
  readonly running: RunningServer
  readonly port: Promise<number>

  constructor(args: readonly string[] = [], options: Partial<ServeOptions> = {}) {
    const ready = Promise.withResolvers<number>()
    const exited = Promise.withResolvers<number>()
    this.port = ready.promise
    this.exited = exited.promise
    this.running = serveVllm({
      args: [MODEL, '--served-model-name', 'm', '--host', '127.0.0.1', '--port', '0', ...args],
      environment: {},
      gpu: { id: 'h100-sxm', count: 8 },
      seed: 1,
      loadTimeUs: ms(60),
      answers: 'endless',
      apiServerPid: 77,
      log: (line) => this.lines.push(line),
      exit: exited.resolve,
      listening: ready.resolve,
      ...options,
    })
    servers.push(this)
  }

  async fetch(path: string, body?: unknown): Promise<Response> {
    const url = `http://127.0.0.1:${await this.port}${path}`
    if (body === undefined) return fetch(url)
    return fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  complete(body: object = {}): Promise<Response> {
    return this.fetch('/v1/completions', { prompt: 'a', max_tokens: 4, ...body })
  }

  async fault(method: string, name: string, body?: object): Promise<{ status: number; body: unknown }> {
    const url = `http://127.0.0.1:${await this.running.faultPort}/${name}`
    const response = await fetch(url, { method, ...(body ? { body: JSON.stringify(body) } : {}) })
    return { status: response.status, body: await response.json() }
  }

  /** Texts of the log without process, time and place. */
  get texts(): string[] {
    return this.lines.map((line) => line.replace(/^\(\w+ pid=\d+\) (?:\w+ [\d-]+ [\d:]+ \[[\w.]+:\d+\] )?/, ''))
  }
}

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.running.signal('SIGKILL')
    server.running.clock.stop()
  }
})

const FAULTS = { faults: { host: '127.0.0.1', port: 0 } }
const LONG = { max_tokens: 100_000, ignore_eos: true }

it('starts in the order of vLLM’s log, and answers', async () => {
  const server = new Server()
  const answer = (await (await server.complete()).json()) as { model: string; usage: { completion_tokens: number } }
  expect([answer.model, answer.usage.completion_tokens]).toEqual(['m', 4])
  const marks = [
    'Resolved architecture: LlamaForCausalLM',
    "Supported tasks: ['generate']",
    'Starting vLLM server on http://127.0.0.1:0',
    'Available routes are:',
    'Route: /health, Methods: GET',
    'INFO:     Started server process [77]',
    'INFO:     Application startup complete.',
  ]
  expect(server.texts.filter((text) => marks.includes(text))).toEqual(marks)
  expect(server.lines.at(-1)).toMatch(/"POST \/v1\/completions HTTP\/1\.1" 200 OK$/)
})

it('ends requests with reason abort on SIGTERM, then refuses, then is gone with exit code 0', async () => {
  const server = new Server()
  await server.complete()
  const whole = server.complete(LONG)
  const streamed = server.complete({ ...LONG, stream: true })
  await delay(150)
  server.running.signal('SIGTERM')
  expect(await (await whole).json()).toMatchObject({ choices: [{ finish_reason: 'abort' }] })
  expect(await (await streamed).text()).toMatch(/"finish_reason":"abort"[\s\S]*data: \[DONE\]\n\n$/)
  expect(await server.exited).toBe(0)
  await expect(server.complete()).rejects.toThrow('fetch failed')
  expect(server.texts).toContain('[shutdown] EngineCore: aborting in-flight requests count=2')
  expect(server.texts.at(-1)).toBe('INFO:     Application shutdown complete.')
})

it('gathers tokens for a client that reads slowly, as upstream’s queue does', async () => {
  // more than the kernel's buffers of a loopback connection hold
  const tokens = 120_000
  const server = new Server(['--max-model-len', '130000', '--disable-uvicorn-access-log'])
  await server.complete()
  const socket = connect(await server.port, '127.0.0.1')
  const body = JSON.stringify({ prompt: 'a', max_tokens: tokens, ignore_eos: true, stream: true })
  socket.write(
    `POST /v1/completions HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await once(socket, 'readable')
  server.running.process!.server.slowDown(0.001)
  while (server.running.process!.server.stats()[0]!.running > 0) await delay(20)
  let got = ''
  socket.on('data', (part) => {
    got += part
  })
  while (!got.includes('[DONE]')) await once(socket, 'data')
  socket.destroy()
  const texts = [...got.matchAll(/"text":"([^"]*)"/g)].map(([, text]) => text!)
  expect(texts.length).toBeLessThan(tokens)
  expect(Math.max(...texts.map((text) => text.length))).toBeGreaterThan(10_000)
  expect(got).toMatch(/"finish_reason":"length"/)
})

it('drains with --shutdown-timeout: answers end by themselves', async () => {
  const server = new Server(['--shutdown-timeout', '20'])
  await server.complete()
  const whole = server.complete({ max_tokens: 60, ignore_eos: true })
  await delay(60)
  server.running.signal('SIGTERM')
  expect(await (await whole).json()).toMatchObject({ choices: [{ finish_reason: 'length' }] })
  expect(await server.exited).toBe(0)
})

it('says so inside streams and by 500 when its engine dies, and ends', async () => {
  const server = new Server([], FAULTS)
  await server.complete()
  const streamed = server.complete({ ...LONG, stream: true })
  await delay(100)
  expect((await server.fault('POST', 'crash-worker')).status).toBe(200)
  expect(await (await streamed).text()).toContain(
    'data: {"error": {"message": "EngineCore encountered an issue. See stack trace (above) for the root cause.", "type": "InternalServerError", "param": null, "code": 500}}\n\ndata: [DONE]\n\n',
  )
  expect((await server.fetch('/health')).status).toBe(503)
  expect((await server.fetch('/v1/models')).status).toBe(200)
  expect((await server.complete()).status).toBe(500)
  expect(await server.exited).toBe(0)
  expect(server.texts).toContain('INFO:     Finished server process [77]')
})

it('hangs and heals, and lists its faults', async () => {
  const server = new Server([], FAULTS)
  await server.complete()
  await server.fault('POST', 'hang')
  const waiting = server.complete()
  expect((await server.fetch('/health')).status).toBe(200)
  expect(await Promise.race([waiting, delay(100, 'nothing')])).toBe('nothing')
  const listed = (await server.fault('GET', '')).body as { server: string; faults: { name: string; active: boolean }[] }
  expect(listed.server).toBe('ready')
  expect(listed.faults.filter(({ active }) => active).map(({ name }) => name)).toEqual(['hang'])
  await server.fault('DELETE', 'hang')
  expect((await waiting).status).toBe(200)
  expect((await server.fault('POST', 'slow-weights')).body).toMatchObject({ error: { code: 'NOT_NOW' } })
  expect((await server.fault('POST', 'slow', { factor: -1 })).body).toMatchObject({ error: { code: 'BAD_PARAMETER' } })
  expect((await server.fault('POST', 'flood')).status).toBe(404)
  expect((await server.fault('DELETE', 'crash-engine')).body).toMatchObject({ error: { code: 'NOT_HEALABLE' } })
})

it('keeps KV blocks from requests, and gives them back', async () => {
  const server = new Server(['--max-model-len', '8192'], FAULTS)
  await server.complete()
  await server.fault('POST', 'kv-pressure', { share: 1 })
  const waiting = server.complete()
  expect(await Promise.race([waiting, delay(100, 'nothing')])).toBe('nothing')
  await server.fault('DELETE', '')
  await server.complete()
  expect((await waiting).status).toBe(200)
})

it('runs out of memory while it starts, with torch’s words and exit code 1', async () => {
  const server = new Server([], { ...FAULTS, loadTimeUs: ms(60_000) })
  expect((await server.fault('POST', 'out-of-memory')).status).toBe(200)
  expect(await server.exited).toBe(1)
  expect(server.texts.join('\n')).toContain('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate')
})

it('refuses as vLLM does: exit code 2 for a flag it does not know', async () => {
  const server = new Server(['--no-such-flag'])
  expect(await server.exited).toBe(2)
  expect(server.lines.at(-1)).toBe('vllm: error: unrecognized arguments: --no-such-flag')
})

it('is interrupted while it starts', async () => {
  const server = new Server([], { loadTimeUs: ms(400) })
  await delay(250)
  server.running.signal('SIGTERM')
  expect(await server.exited).toBe(130)
})

it('pauses, freezes and sleeps for those who develop with it', async () => {
  const server = new Server([], { environment: { VLLM_SERVER_DEV_MODE: '1' } })
  const json = async (response: Promise<Response>) => (await response).json()
  expect(await json(server.fetch('/pause?mode=keep', ''))).toEqual({ status: 'paused' })
  expect(await json(server.fetch('/is_paused'))).toEqual({ is_paused: true })
  const waiting = server.complete()
  expect(await Promise.race([waiting, delay(60, 'nothing')])).toBe('nothing')
  expect(await json(server.fetch('/resume', ''))).toEqual({ status: 'resumed' })
  expect((await waiting).status).toBe(200)
  expect(await json(server.fetch('/sleep?level=2', ''))).toEqual({ status: 'sleeping', level: 2 })
  expect(await json(server.fetch('/wake_up?tags=weights', ''))).toEqual({ status: 'sleeping', tags: ['weights'] })
  expect(await json(server.fetch('/wake_up', ''))).toEqual({ status: 'awake', tags: null })
  expect(await json(server.fetch('/is_sleeping'))).toEqual({ is_sleeping: false })
  const whole = server.complete(LONG)
  await delay(80)
  expect(await json(server.fetch('/abort_requests', {}))).toEqual({ status: 'aborted', aborted: 1 })
  expect(await json(whole)).toMatchObject({ choices: [{ finish_reason: 'abort' }] })
  expect((await server.fetch('/sleep?level=5', '')).status).toBe(400)
  expect(await json(server.fetch('/reset_prefix_cache', ''))).toEqual({ success: true })
})

it('loads and unloads adapters where the environment allows it', async () => {
  const server = new Server(['--enable-lora'], { environment: { VLLM_ALLOW_RUNTIME_LORA_UPDATING: 'true' } })
  const said = await server.fetch('/v1/load_lora_adapter', { lora_name: 'a', lora_path: 'org/adapter' })
  expect([said.headers.get('content-type'), await said.text()]).toEqual([
    null,
    "Success: LoRA adapter 'a' added successfully.",
  ])
  const { data } = (await (await server.fetch('/v1/models')).json()) as {
    data: { id: string; parent: string | null }[]
  }
  expect(data.map(({ id, parent }) => [id, parent])).toEqual([
    ['m', null],
    ['a', 'm'],
  ])
  expect((await server.fetch('/v1/load_lora_adapter', { lora_name: 'b', lora_path: '/none' })).status).toBe(404)
  expect((await server.complete({ model: 'a' })).status).toBe(200)
  expect((await server.fetch('/v1/unload_lora_adapter', { lora_name: 'a' })).status).toBe(200)
  expect((await server.complete({ model: 'a' })).status).toBe(404)
})
