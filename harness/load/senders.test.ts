import { expect, it } from 'vitest'
import { serveVllm } from '../../sandbox/vllm/wire/edge/serve.ts'
import { ms, seconds } from '../../sandbox/world/time.ts'
import { simulated } from '../bench/load/simulated.ts'
import { sendOverHttp } from './http/http-sender.ts'
import { PromptMaker } from './http/prompt.ts'
import { prepared, scheduled } from './http/requests.ts'
import type { LoadRecord } from './http/sender.ts'
import { countByTokenize, prefixCache } from './http/server.ts'
import { learnVocabulary } from './http/vocabulary.ts'
import { expectedHits } from './results/expected-hits.ts'
import { percentilesOf } from './results/percentiles.ts'
import type { Workload } from './workload.ts'

const MODEL = 'meta-llama/Llama-3.1-8B-Instruct'
const WORKLOAD: Workload = {
  arrival: 'poisson',
  requestsPerSecond: 15,
  promptTokens: { kind: 'uniform', minTokens: 100, maxTokens: 300 },
  outputTokens: { kind: 'uniform', minTokens: 10, maxTokens: 40 },
  sharedTokens: 64,
  timeoutUs: seconds(20),
}
const LOAD = { seed: 3, server: 'default/chat', untilUs: seconds(3) }

/** The mock in this process, on a port of its own. */
async function mock() {
  let over = () => {}
  const ended = new Promise<void>((resolve) => {
    over = resolve
  })
  const { port, signal } = await new Promise<{ port: number; signal: (name: 'SIGKILL') => void }>((resolve, reject) => {
    const server = serveVllm({
      args: [MODEL, '--host', '127.0.0.1', '--port', '0'],
      environment: {},
      gpu: { id: 'h100-sxm', count: 1 },
      seed: 1,
      loadTimeUs: ms(100),
      answers: 'natural',
      apiServerPid: 1,
      log: () => {},
      exit: (code) => {
        over()
        reject(new Error(`it ended with ${code}`))
      },
      listening: (port) => resolve({ port, signal: (name) => server.signal(name) }),
    })
  })
  return {
    base: new URL(`http://127.0.0.1:${port}/`),
    async [Symbol.asyncDispose]() {
      signal('SIGKILL')
      await ended
    },
  }
}

it('one schedule comes to the same in the simulator and over HTTP against the mock', async () => {
  await using served = await mock()
  const server = { base: served.base, headers: {}, timeoutMs: 10_000 }
  const vocabulary = await learnVocabulary(countByTokenize(server, MODEL, 'chat'), true)
  const plan = () => scheduled(WORKLOAD, LOAD)
  const records: LoadRecord[] = []
  await sendOverHttp({
    target: { url: new URL('/v1/chat/completions', served.base), headers: {} },
    requests: prepared(plan(), { prompts: new PromptMaker(vocabulary, 1), model: MODEL, endpoint: 'chat' }),
    ...{ ...LOAD, retry: undefined, maxOpen: 500, keepAlive: true },
    ended: (record) => records.push(record),
  }).done
  const expected = new Map(
    simulated({ ...LOAD, args: [MODEL, '--port', '8000'], gpu: 'h100-sxm', workload: WORKLOAD }).map((one) => [
      one.id,
      one,
    ]),
  )
  expect(records.length).toBe(expected.size)
  expect(records.length).toBeGreaterThan(30)
  for (const record of records) {
    const twin = expected.get(record.id)!
    const { outcome, intendedAt, promptTokens, outputTokens } = record
    expect(twin).toMatchObject({ outcome, intendedAt, promptTokens, outputTokens })
    expect(record.gotPromptTokens).toBe(promptTokens)
  }
  const beyond = (latency: 'ttftUs' | 'e2eUs') =>
    percentilesOf(records.map((record) => record[latency]! - expected.get(record.id)![latency]!))!.p50Us
  // what the sender, the sockets and the mock's own work add; more on a busy machine
  expect(beyond('ttftUs')).toBeLessThan(ms(400))
  expect(beyond('ttftUs')).toBeGreaterThan(-ms(20))
  expect(beyond('e2eUs')).toBeLessThan(ms(600))
  // the prefix cache has what the prompts share
  const cache = (await prefixCache(server))!
  expect(cache.hits / cache.queries).toBeGreaterThan(0.9 * expectedHits(plan())!)
})
