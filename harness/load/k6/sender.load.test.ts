import { it as always, describe, expect } from 'vitest'
import { randomStream } from '../../../sandbox/world/random.ts'
import { seconds } from '../../../sandbox/world/time.ts'
import type { Slos } from '../../slo/objective.ts'
import { sendOverHttp } from '../http/http-sender.ts'
import type { LoadRecord, PreparedRequest, SendOptions } from '../http/sender.ts'
import { ensureK6, whyNoK6 } from './binary/find.ts'
import { startK6 } from './sender.ts'
import { type StreamOptions, type StreamServer, startStreamServer } from './testing/stream-server.ts'

const it = always.skipIf(await whyNoK6('ours'))

/** Poisson arrivals, 40 a second, with answers of different lengths. */
function requests(count: number, timeoutUs = seconds(10)): PreparedRequest[] {
  const random = randomStream(7, 'k6 test')
  let at = 0
  return Array.from({ length: count }, (_, number) => {
    at += Math.round((-Math.log(1 - random.next()) / 40) * 1e6)
    const outputTokens = 3 + Math.floor(random.next() * 8)
    const body = JSON.stringify({
      model: 'm',
      messages: [],
      stream: true,
      max_tokens: outputTokens,
      user: String(number),
    })
    const rest = { timeoutUs, tenant: undefined, prefix: undefined, priority: undefined }
    return { number, planned: { at, promptTokens: 7, outputTokens, ...rest }, body }
  })
}

async function withServer<T>(options: StreamOptions, use: (server: StreamServer) => Promise<T>): Promise<T> {
  const server = await startStreamServer(options)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

const sendOptions = (url: string, planned: readonly PreparedRequest[], records: LoadRecord[]): SendOptions => ({
  target: { url: new URL(`${url}/v1/chat/completions`), headers: { authorization: 'Bearer key' } },
  requests: planned,
  seed: 1,
  server: 'tested',
  retry: undefined,
  maxOpen: 1000,
  keepAlive: true,
  ended: (record) => records.push(record),
})

async function sendByK6(url: string, planned: readonly PreparedRequest[], slos: Slos = []) {
  const records: LoadRecord[] = []
  const load = startK6({ ...sendOptions(url, planned, records), k6: await ensureK6('ours'), slos })
  await load.done
  records.sort((a, b) => a.intendedAt - b.intendedAt)
  return { records, load }
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

describe('k6 as a sender', () => {
  it('sends each request at its time, whatever became of those before', async () => {
    const planned = requests(120)
    await withServer({ firstMs: 300, gapMs: 2 }, async ({ url, arrivals }) => {
      const { records, load } = await sendByK6(url, planned)
      expect(records.map(({ id }) => id)).toEqual(planned.map(({ number }) => `r${number}`))
      expect(records.map(({ intendedAt }) => intendedAt)).toEqual(planned.map(({ planned: { at } }) => at))
      expect(middle(records.map(({ sentAt, intendedAt }) => sentAt! - intendedAt))).toBeLessThan(20_000)
      expect([load.sent(), load.open()]).toEqual([120, 0])
      expect(new Set(arrivals.map(({ key }) => key))).toEqual(new Set(['Bearer key']))
      // what k6 says of itself is what the server saw
      const zeros = records.map(({ id, sentAt }) => {
        const { at } = arrivals.find(({ user }) => `r${user}` === id)!
        return at - sentAt! / 1e3
      })
      const zero = Math.min(...zeros)
      expect(middle(zeros) - zero).toBeLessThan(20)
    })
  })

  it('records what our own sender records', async () => {
    const planned = requests(60)
    await withServer({ firstMs: 80, gapMs: 10 }, async ({ url }) => {
      const own: LoadRecord[] = []
      await sendOverHttp(sendOptions(url, planned, own)).done
      own.sort((a, b) => a.intendedAt - b.intendedAt)
      const { records } = await sendByK6(url, planned)
      const facts = ({ at, sentAt, ttftUs, e2eUs, itlUs, ...rest }: LoadRecord) => ({ ...rest, gaps: itlUs.length })
      expect(records.map(facts)).toEqual(own.map(facts))
      for (const of of [own, records]) {
        const [ttft, gap] = [middle(of.map(({ ttftUs }) => ttftUs!)), middle(of.flatMap(({ itlUs }) => itlUs))]
        expect(ttft).toBeGreaterThan(80e3)
        expect(ttft).toBeLessThan(130e3)
        expect(gap).toBeGreaterThan(9e3)
        expect(gap).toBeLessThan(30e3)
      }
    })
  })

  it('tells failures as our own sender tells them', async () => {
    const planned = requests(12, seconds(0.4))
    const fates = ['answer', 'cut', 'refuse', 'hang'] as const
    await withServer({ firstMs: 20, gapMs: 5, fate: (user) => fates[Number(user) % 4]! }, async ({ url }) => {
      const own: LoadRecord[] = []
      await sendOverHttp(sendOptions(url, planned, own)).done
      own.sort((a, b) => a.intendedAt - b.intendedAt)
      const { records } = await sendByK6(url, planned)
      const facts = ({ ended, outcome, status }: LoadRecord) => ({ ended, outcome, status })
      expect(records.slice(0, 4).map(({ ended }) => ended)).toEqual(['ok', 'reset', 'http', 'timeout'])
      expect(records.map(facts)).toEqual(own.map(facts))
      expect(records[2]!.why).toBe(own[2]!.why)
    })
  })

  it('ends with its thresholds, made from SLOs, crossed or not', async () => {
    const planned = requests(40)
    const ttft = (limitUs: number): Slos => [{ origin: 'given', kind: 'ttft', percentile: 95, limitUs }]
    await withServer({ firstMs: 50, gapMs: 2 }, async ({ url }) => {
      expect((await sendByK6(url, planned, ttft(seconds(5)))).load.breached()).toBe(false)
      expect((await sendByK6(url, planned, ttft(1_000))).load.breached()).toBe(true)
    })
  })

  it('does not pass for a server that nobody reaches: there are no samples of latency', async () => {
    const url = await withServer({ firstMs: 0, gapMs: 0 }, async (server) => server.url)
    const { records, load } = await sendByK6(url, requests(20), [
      { origin: 'given', kind: 'ttft', percentile: 95, limitUs: seconds(5) },
    ])
    expect(new Set(records.map(({ ended }) => ended))).toEqual(new Set(['refused']))
    expect(load.breached()).toBe(true)
  })

  it('gives up what is open when it is stopped', async () => {
    await withServer(
      { firstMs: 100, gapMs: 5, fate: (user) => (Number(user) < 5 ? 'answer' : 'hang') },
      async ({ url }) => {
        const records: LoadRecord[] = []
        const options = sendOptions(url, requests(400), records)
        const load = startK6({ ...options, k6: await ensureK6('ours'), slos: [] })
        while (load.sent() < 20) await new Promise((resolve) => setTimeout(resolve, 20))
        load.stop()
        await load.done
        expect(load.sent()).toBeLessThan(400)
        expect(records.filter(({ ended }) => ended === 'ok')).toHaveLength(5)
        expect(records.filter(({ ended }) => ended === 'unfinished')).toHaveLength(load.sent() - 5)
      },
    )
  })
})
