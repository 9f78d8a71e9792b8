import { expect, test } from 'vitest'
import { ms, seconds } from '../../world/time.ts'
import { resolveServer } from './resolve.ts'
import { recorder, request, resolveLine, run, upServer } from './test-kit.ts'

test('the port refuses until the server is up; then /health is 200, unknown routes 404', () => {
  const { clock, server } = run(resolveLine('meta-llama/Llama-3.1-8B-Instruct'), { totalLoadUs: seconds(90) })
  clock.runUntil(seconds(90) - 1)
  expect(server.httpGet(8000, '/health')).toEqual({ kind: 'refused' })
  expect(server.accepts(8000)).toBe(false)
  clock.runUntil(seconds(90))
  const status = (path: string, port = 8000) => {
    const answer = server.httpGet(port, path)
    return answer.kind === 'answer' ? answer.status : answer.kind
  }
  for (const path of ['/health', '/metrics', '/v1/models', '/ping', '/version']) expect(status(path)).toBe(200)
  expect(status('/healthz')).toBe(404)
  expect(status('/')).toBe(404)
  expect(status('/v1/chat/completions')).toBe(405)
  expect(status('/health', 8001)).toBe('refused')
})

test('a server bound to loopback is reached by no probe; an API key guards /v1 only', () => {
  expect(upServer('facebook/opt-125m --host 127.0.0.1').server.httpGet(8000, '/health')).toEqual({ kind: 'refused' })
  const { server } = upServer('facebook/opt-125m --api-key secret')
  expect(server.httpGet(8000, '/v1/models')).toMatchObject({ status: 401 })
  expect(server.httpGet(8000, '/health')).toMatchObject({ status: 200 })
})

test('a request is answered; a wrong model is 404, a prompt as long as the context 400', () => {
  const { clock, server } = upServer()
  const [good, wrong, long] = [recorder(), recorder(), recorder()]
  server.inference.submit(8000, request('a'), good.observer)
  server.inference.submit(8000, request('b', { model: 'nope' }), wrong.observer)
  server.inference.submit(8000, request('c', { promptTokens: 9000 }), long.observer)
  clock.runUntil(seconds(120))
  expect(good.told).toHaveLength(2)
  expect(good.told[1]).toMatch(/^(stop|length) 50 /)
  expect(wrong.told[0]).toContain('http 404')
  expect(wrong.told[0]).toContain('The model `nope` does not exist. Valid aliases: meta-llama/Llama-3.1-8B-Instruct.')
  expect(long.told[0]).toContain("http 400 60.002 This model's maximum context length is 8192 tokens.")
})

test('a client that leaves frees the engine and hears nothing more', () => {
  const { clock, server } = upServer()
  const { told, observer } = recorder()
  const hangUp = server.inference.submit(8000, request('a', { outputTokens: 5000 }), observer)
  clock.runUntil(seconds(61))
  expect(server.stats()[0]!.running).toBe(1)
  hangUp()
  clock.runUntil(seconds(62))
  expect(server.stats()[0]!.running).toBe(0)
  expect(told).toHaveLength(1)
})

// recorded: streams end at +0.005 s, port refused at +0.02 s, process gone at +0.41 s
test('SIGTERM ends streams with abort, closes the port, exits 0', () => {
  const { clock, server, exits, log } = upServer()
  const { told, observer } = recorder()
  server.inference.submit(8000, request('a', { outputTokens: 5000 }), observer)
  clock.runUntil(seconds(61))
  server.signal('SIGTERM')
  clock.runUntil(seconds(61) + ms(10))
  expect(told.at(-1)).toMatch(/^abort \d+ 61\.005$/)
  expect(server.httpGet(8000, '/health')).toMatchObject({ status: 200 })
  clock.runUntil(seconds(61) + ms(25))
  expect(server.httpGet(8000, '/health')).toEqual({ kind: 'refused' })
  clock.runUntil(seconds(70))
  expect(exits).toEqual([{ code: 0, at: seconds(61) + ms(410) }])
  expect(log.join('\n')).toContain('[shutdown] API server: stopping engine client mode=abort timeout=0s')
})

test('before --shutdown-timeout existed SIGTERM cut the streams', () => {
  const { clock, server } = run(resolveLine('facebook/opt-125m', 1, undefined, '0.10.2'), { totalLoadUs: seconds(60) })
  clock.runUntil(seconds(60))
  const { told, observer } = recorder()
  server.inference.submit(8000, request('a', { model: 'facebook/opt-125m', outputTokens: 1900 }), observer)
  clock.runUntil(seconds(60) + ms(50))
  server.signal('SIGTERM')
  clock.runUntil(seconds(61))
  expect(told.at(-1)).toContain('reset')
})

test('with --shutdown-timeout answers finish, later ones are aborted, then it exits', () => {
  const { clock, server, exits } = upServer('facebook/opt-125m --shutdown-timeout 20')
  const [first, late] = [recorder(), recorder()]
  server.inference.submit(8000, request('a', { model: 'facebook/opt-125m', outputTokens: 1000 }), first.observer)
  clock.runUntil(seconds(60) + ms(100))
  server.signal('SIGTERM')
  server.inference.submit(8000, request('b', { model: 'facebook/opt-125m' }), late.observer)
  clock.runUntil(seconds(75))
  expect(first.told.at(-1)).toMatch(/^(stop|length) 1000 /)
  expect(late.told).toEqual(['abort 0 60.102'])
  expect(exits).toHaveLength(1)
  expect(exits[0]!.at).toBeLessThan(seconds(80))
})

test('a stream longer than --shutdown-timeout hangs, and the process with it, until the client leaves', () => {
  const { clock, server, exits } = upServer('meta-llama/Llama-3.1-8B-Instruct --shutdown-timeout 2')
  const { told, observer } = recorder()
  const hangUp = server.inference.submit(8000, request('a', { outputTokens: 100_000 }), observer)
  clock.runUntil(seconds(61))
  server.signal('SIGTERM')
  clock.runUntil(seconds(62))
  expect(server.httpGet(8000, '/health')).toMatchObject({ status: 200 })
  clock.runUntil(seconds(300))
  expect(server.httpGet(8000, '/health')).toEqual({ kind: 'refused' })
  expect(told).toHaveLength(1)
  expect(exits).toEqual([])
  hangUp()
  clock.runUntil(seconds(301))
  expect(exits).toMatchObject([{ code: 0 }])
})

test('SIGKILL resets streams at once and calls no exit', () => {
  const { clock, server, exits } = upServer()
  const { told, observer } = recorder()
  server.inference.submit(8000, request('a', { outputTokens: 5000 }), observer)
  clock.runUntil(seconds(61))
  server.signal('SIGKILL')
  expect(told.at(-1)).toContain('reset  61')
  clock.runUntil(seconds(100))
  expect(exits).toEqual([])
  expect(server.accepts(8000)).toBe(false)
})

test('SIGTERM is ignored while Python imports, interrupts a later start, and never reaches a server behind a shell', () => {
  const starting = run(resolveLine('facebook/opt-125m'), { totalLoadUs: seconds(60) })
  starting.clock.runUntil(seconds(1))
  starting.server.signal('SIGTERM')
  starting.clock.runUntil(seconds(20))
  expect(starting.exits).toEqual([])
  starting.clock.runUntil(seconds(40))
  starting.server.signal('SIGTERM')
  starting.clock.runUntil(seconds(41))
  expect(starting.exits).toMatchObject([{ code: 130 }])

  const script = { image: 'vllm/vllm-openai:v0.32.0', command: ['sh', '-c', 'vllm serve facebook/opt-125m & wait'] }
  const behind = run(resolveServer(script, {}, { gpuCount: 1, gpuProduct: 'NVIDIA-L4' }), { totalLoadUs: seconds(60) })
  behind.clock.runUntil(seconds(61))
  behind.server.signal('SIGTERM')
  behind.clock.runUntil(seconds(90))
  expect(behind.server.httpGet(8000, '/health')).toMatchObject({ status: 200 })
})

test('a hung engine leaves /health at 200 and answers nothing; resuming ends the stream', () => {
  const { clock, server } = upServer()
  const { told, observer } = recorder()
  server.inference.submit(8000, request('a'), observer)
  clock.runUntil(seconds(60) + ms(40))
  server.hang()
  clock.runUntil(seconds(600))
  expect(server.httpGet(8000, '/health')).toMatchObject({ status: 200 })
  expect(told.length).toBeLessThan(2)
  server.resume()
  clock.runUntil(seconds(700))
  expect(told.at(-1)).toMatch(/^(stop|length) 50/)
})

test('an engine that dies breaks its streams with an error, /health says 503, the process ends', () => {
  const { clock, server, exits } = upServer()
  const { told, observer } = recorder()
  server.inference.submit(8000, request('a', { outputTokens: 5000 }), observer)
  clock.runUntil(seconds(61))
  server.crashEngine()
  expect(told.at(-1)).toContain('http 500')
  expect(server.httpGet(8000, '/health')).toMatchObject({ status: 503 })
  clock.runUntil(seconds(70))
  expect(exits).toMatchObject([{ at: seconds(61) + ms(3590) }])
})

test('slow loading stretches what is left of the weights, and only that', () => {
  const load = (factor: number) => {
    const { clock, server } = run(resolveLine('meta-llama/Llama-3.1-8B-Instruct'))
    while (server.startup?.phase !== 'weights') clock.runUntil(clock.now + seconds(0.01))
    const left = 1 - server.startup.done
    server.setLoadFactor(factor)
    const from = clock.now
    while (server.startup?.phase === 'weights') clock.runUntil(clock.now + seconds(0.01))
    return { took: clock.now - from, left }
  }
  const [plain, slow] = [load(1), load(3)]
  expect(slow.took / plain.took).toBeCloseTo(3, 1)
})

test('a container restarted while loading is slow starts slowly', () => {
  const { clock, server } = run(resolveLine('meta-llama/Llama-3.1-70B-Instruct -tp 4', 4), { loadFactor: 2 })
  const plain = run(resolveLine('meta-llama/Llama-3.1-70B-Instruct -tp 4', 4))
  plain.clock.runUntil(seconds(180))
  expect(plain.server.ready).toBe(true)
  clock.runUntil(seconds(180))
  expect(server.ready).toBe(false)
  clock.runUntil(seconds(250))
  expect(server.ready).toBe(true)
})

test('data-parallel engines share requests', () => {
  const running = run(resolveLine('facebook/opt-125m -dp 2', 2), { totalLoadUs: seconds(60) })
  running.clock.runUntil(seconds(60))
  for (let i = 0; i < 4; i++)
    running.server.inference.submit(
      8000,
      request(`r${i}`, { model: 'facebook/opt-125m', outputTokens: 1900 }),
      recorder().observer,
    )
  running.clock.runUntil(seconds(60) + ms(100))
  expect(running.server.stats().map((s) => s.running)).toEqual([2, 2])
})

test('metrics carry vLLM’s names, the model and the cache’s size', () => {
  const { server } = upServer()
  const names = server.exposition(8000, '/metrics')!.map((family) => family.name)
  expect(names.some((name) => name.startsWith('vllm:num_requests_running'))).toBe(true)
  expect(JSON.stringify(server.exposition(8000, '/metrics')!)).toContain('num_gpu_blocks')
})

test('a server with a certificate speaks TLS', () => {
  const tls = (flags: string) => upServer(`facebook/opt-125m${flags}`).server.speaksTls()
  expect(tls('')).toBe(false)
  expect(tls(' --ssl-certfile /tls/both.pem')).toBe(true)
  expect(tls(' --ssl-keyfile /tls/tls.key --ssl-certfile /tls/tls.crt')).toBe(true)
})
