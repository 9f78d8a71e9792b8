import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { ms, seconds } from '../../../sandbox/world/time.ts'
import { judgeLoad } from '../results/judge.ts'
import { summarise } from '../results/summary.ts'
import { OPENAI_CLIENT } from '../retry.ts'
import type { Workload } from '../workload.ts'
import { sendOverHttp } from './http-sender.ts'
import { PromptMaker } from './prompt.ts'
import { prepared, scheduled } from './requests.ts'
import type { LoadRecord, SendOptions } from './sender.ts'
import { type Behaviour, type ScriptedServer, scriptedServer } from './testing/scripted-server.ts'
import { ESTIMATED } from './vocabulary.ts'

const WORKLOAD: Workload = {
  arrival: 'constant',
  requestsPerSecond: 20,
  promptTokens: { kind: 'constant', tokens: 40 },
  outputTokens: { kind: 'constant', tokens: 6 },
  timeoutUs: seconds(20),
}

interface Asked extends Partial<Pick<SendOptions, 'maxOpen' | 'keepAlive'>> {
  readonly workload?: Partial<Workload>
  readonly forUs?: number
}

function send(
  server: ScriptedServer,
  { workload = {}, forUs = seconds(0.52), maxOpen = 100, keepAlive = true }: Asked,
) {
  const asked = { ...WORKLOAD, ...workload }
  const records: LoadRecord[] = []
  const load = sendOverHttp({
    target: { url: new URL('/v1/chat/completions', server.url), headers: {} },
    requests: prepared(scheduled(asked, { seed: 1, server: 'chat', untilUs: forUs }), {
      prompts: new PromptMaker(ESTIMATED, 1),
      model: 'm',
      endpoint: 'chat',
    }),
    seed: 1,
    server: 'chat',
    retry: asked.retry,
    maxOpen,
    keepAlive,
    ended: (record) => records.push(record),
  })
  return { load, records }
}

/** A load to its end, in the order of the schedule. */
async function sent(behave: (n: number, now: number) => Behaviour, asked: Asked = {}) {
  await using server = await scriptedServer(behave)
  const { load, records } = send(server, asked)
  await load.done
  return {
    records: records.sort((a, b) => a.intendedAt - b.intendedAt),
    connections: server.connections(),
    mostOpen: server.mostOpen(),
    asked: server.asked,
  }
}

const fast: Behaviour = { kind: 'stream', ttftUs: ms(5) }
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

describe('times', () => {
  it('are those of the server: the first piece with text, the gaps, the end', async () => {
    const { records } = await sent(() => ({ kind: 'stream', ttftUs: ms(60), itlUs: ms(20) }))
    expect(records.map(({ ended }) => ended)).toEqual(Array(10).fill('ok'))
    expect(records.map(({ intendedAt }) => intendedAt)).toEqual(Array.from({ length: 10 }, (_, i) => ms(50 * (i + 1))))
    for (const { ttftUs, e2eUs, sentAt, intendedAt, itlUs, outputTokens } of records) {
      expect(ttftUs).toBeGreaterThanOrEqual(ms(60))
      expect(e2eUs).toBeGreaterThanOrEqual(ms(160))
      expect(sentAt).toBeGreaterThanOrEqual(intendedAt)
      expect([itlUs.length, outputTokens]).toEqual([5, 6])
    }
    expect(median(records.map(({ ttftUs }) => ttftUs!))).toBeLessThan(ms(250))
    expect(median(records.flatMap(({ itlUs }) => itlUs))).toBeGreaterThan(ms(14))
    expect(median(records.flatMap(({ itlUs }) => itlUs))).toBeLessThan(ms(100))
  })

  it('of a server that stalls show in the tail, as requests go on being sent', async () => {
    let until: number | undefined
    const { records, asked } = await sent(
      (n, now) => {
        if (n === 5) until = now + ms(600)
        return { kind: 'stream', ttftUs: Math.max(ms(2), (until ?? now) - now) }
      },
      { workload: { requestsPerSecond: 50, outputTokens: { kind: 'constant', tokens: 1 } }, forUs: seconds(1) },
    )
    const { ttft } = summarise(records, { fromUs: 0, untilUs: seconds(1) }, { limits: undefined, slackUs: ms(50) })
    expect(ttft!.p99Us).toBeGreaterThan(ms(500))
    // had they waited for answers, one request alone would have been slow
    expect(records.filter(({ ttftUs }) => ttftUs! > ms(100)).length).toBeGreaterThan(20)
    expect(asked.length).toBe(records.length)
  })

  it('count from the intended time where the sender itself is late, which is INVALID', async () => {
    const { records, mostOpen } = await sent(() => ({ kind: 'stream', ttftUs: ms(100) }), {
      workload: { requestsPerSecond: 40, outputTokens: { kind: 'constant', tokens: 1 } },
      maxOpen: 1,
      forUs: seconds(0.4),
    })
    expect(mostOpen).toBe(1)
    const last = records.at(-1)!
    expect(last.sentAt! - last.intendedAt).toBeGreaterThan(ms(500))
    expect(last.ttftUs).toBeGreaterThan(ms(600))
    const summary = summarise(records, { fromUs: 0, untilUs: seconds(0.4) }, { limits: undefined, slackUs: ms(50) })
    const { outcome, doubts } = judgeLoad(records, summary, {
      slos: [],
      health: { loopDelayP99Us: undefined, maxOpen: 1 },
      maxDelayUs: ms(50),
    })
    expect([outcome, doubts.map(({ code }) => code)]).toEqual(['INVALID', ['RATE_MISSED', 'SENT_LATE']])
  })
})

describe.concurrent('ends', () => {
  it.each<[string, Behaviour, Partial<LoadRecord>]>([
    ['ok', fast, { outcome: 'ok', why: undefined }],
    ['truncated', { ...fast, end: 'quiet' }, { outcome: 'truncated' }],
    ['abort', { ...fast, finishReason: 'abort', tokens: 2 }, { outcome: 'truncated', outputTokens: 2 }],
    ['empty', { ...fast, tokens: 0 }, { outcome: 'truncated', ttftUs: undefined }],
    ['stream-error', { ...fast, end: 'error', tokens: 3 }, { outcome: 'reset', why: 'the engine died' }],
    ['reset', { ...fast, end: 'cut', tokens: 3 }, { outcome: 'reset', outputTokens: 3 }],
    ['reset', { kind: 'reset' }, { outcome: 'reset', ttftUs: undefined }],
    [
      'http',
      { kind: 'status', status: 503, body: { error: { message: 'overloaded' } } },
      { status: 503, why: 'overloaded' },
    ],
    ['timeout', { kind: 'hang' }, { outcome: 'timeout', e2eUs: undefined }],
  ])('%s of %j', async (ended, behaviour, expected) => {
    const { records } = await sent(() => behaviour, { workload: { timeoutUs: seconds(1) }, forUs: ms(51) })
    expect(records).toEqual([expect.objectContaining({ ended, ...expected })])
  })

  it('refused where nothing listens', async () => {
    const server = await scriptedServer(() => fast)
    await server[Symbol.asyncDispose]()
    const { load, records } = send(server, { forUs: ms(51) })
    await load.done
    expect(records).toEqual([expect.objectContaining({ ended: 'refused', outcome: 'refused', why: 'ECONNREFUSED' })])
  })

  it('unfinished when it is stopped', async () => {
    await using server = await scriptedServer(() => ({ kind: 'hang' }))
    const { load, records } = send(server, { forUs: seconds(30) })
    await expect.poll(() => server.asked.length).toBeGreaterThan(2)
    load.stop()
    await load.done
    expect(records.length).toBeGreaterThan(2)
    expect(new Set(records.map(({ ended }) => ended))).toEqual(new Set(['unfinished']))
    expect(load.open()).toBe(0)
  })

  it('a server that does not stream gives all at its end', async () => {
    const body = {
      choices: [{ message: { role: 'assistant', content: 'all of it' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 40, completion_tokens: 3 },
    }
    const { records } = await sent(() => ({ kind: 'status', status: 200, body }), { forUs: ms(51) })
    expect(records).toEqual([expect.objectContaining({ ended: 'ok', outputTokens: 3, gotPromptTokens: 40, itlUs: [] })])
  })
})

describe.concurrent('clients', () => {
  it('try again as the workload says, and count from their first try', async () => {
    const { records } = await sent(
      (n) => (n === 0 ? { kind: 'status', status: 429, headers: { 'retry-after': '0.2' } } : fast),
      {
        workload: { retry: OPENAI_CLIENT },
        forUs: ms(51),
      },
    )
    expect(records).toEqual([expect.objectContaining({ ended: 'ok', attempts: 2 })])
    expect(records[0]!.ttftUs).toBeGreaterThanOrEqual(ms(200))
  })

  it('keep connections, or have one for each request', async () => {
    const behave = () => fast
    expect((await sent(behave)).connections).toBeLessThan(10)
    expect((await sent(behave, { keepAlive: false })).connections).toBe(10)
  })

  it('replace a kept connection that was closed meanwhile', async () => {
    await using server = await scriptedServer((n) => {
      if (n === 0) return fast
      return { kind: 'stream', ttftUs: ms(1), tokens: 1 }
    })
    const { load, records } = send(server, { workload: { requestsPerSecond: 4 }, forUs: seconds(0.6) })
    await expect.poll(() => records.length).toBe(1)
    server.hangUpIdle()
    await load.done
    expect(records.map(({ ended }) => ended)).toEqual(['ok', 'ok'])
    expect(server.connections()).toBe(2)
  })

  it('ask for what is planned, streamed and with usage', async () => {
    const { asked } = await sent(() => fast, { workload: { priority: 3 }, forUs: ms(51) })
    const { messages, ...rest } = asked[0]!.body as { messages: { role: string; content: string }[] }
    expect(rest).toEqual({
      model: 'm',
      max_tokens: 6,
      ignore_eos: true,
      stream: true,
      stream_options: { include_usage: true },
      priority: 3,
    })
    // one word a token, but for those of the template
    expect(messages[0]!.content.split(' ')).toHaveLength(40 - ESTIMATED.overheadTokens)
  })
})

describe('over node:http, as through proxies and TLS', () => {
  it('records the same', async () => {
    await using proxy = await forwardingProxy()
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    vi.stubEnv('HTTP_PROXY', proxy.url)
    vi.stubEnv('http_proxy', proxy.url)
    vi.stubEnv('NO_PROXY', '')
    vi.stubEnv('no_proxy', '')
    try {
      const ends = ['done', 'done', 'quiet', 'error', 'cut', 'done'] as const
      const { records } = await sent((n) => ({ kind: 'stream', ttftUs: ms(20), itlUs: ms(10), end: ends[n % 6]! }), {
        forUs: seconds(0.32),
      })
      expect(records.map(({ ended }) => ended)).toEqual(['ok', 'ok', 'truncated', 'stream-error', 'reset', 'ok'])
      expect(proxy.asked()).toBe(6)
      for (const { ttftUs, itlUs } of records) {
        expect(ttftUs).toBeGreaterThanOrEqual(ms(20))
        expect(itlUs).toHaveLength(5)
      }
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('is refused, times out and is stopped', async () => {
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    for (const name of ['HTTP_PROXY', 'http_proxy']) vi.stubEnv(name, '')
    try {
      const closed = await scriptedServer(() => fast)
      await closed[Symbol.asyncDispose]()
      const { load, records } = send(closed, { forUs: ms(51) })
      await load.done
      expect(records).toEqual([expect.objectContaining({ ended: 'refused', why: 'ECONNREFUSED' })])
      const hung = await sent(() => ({ kind: 'hang' }), { workload: { timeoutUs: ms(200) }, forUs: ms(51) })
      expect(hung.records.map(({ ended }) => ended)).toEqual(['timeout'])
      const busy = await sent(() => ({ kind: 'status', status: 503, body: { error: { message: 'full' } } }), {
        forUs: ms(51),
      })
      expect(busy.records).toEqual([expect.objectContaining({ ended: 'http', status: 503, why: 'full' })])
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

/** Passes on what it is asked for, as it comes. */
async function forwardingProxy() {
  let asked = 0
  const server = createServer((incoming, outgoing) => {
    asked++
    const passed = request(incoming.url!, { method: incoming.method!, headers: incoming.headers, agent: false })
    passed.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.on('close', () => {
        if (!answer.complete) outgoing.destroy()
      })
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
