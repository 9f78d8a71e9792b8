import { describe, expect, it } from 'vitest'
import { Journal } from '../../sandbox/journal/journal.ts'
import type { RequestRecord } from '../../sandbox/journal/record.ts'
import type { InferenceObserver } from '../../sandbox/nodes/program.ts'
import { VirtualClock } from '../../sandbox/world/clock.ts'
import { ms, seconds } from '../../sandbox/world/time.ts'
import { createWorld } from '../../sandbox/world/world.ts'
import { OPENAI_CLIENT } from './retry.ts'
import { startLoad } from './simulated-sender.ts'
import type { Workload } from './workload.ts'

const WORKLOAD: Workload = {
  arrival: 'constant',
  requestsPerSecond: 1,
  promptTokens: { kind: 'constant', tokens: 50 },
  outputTokens: { kind: 'constant', tokens: 10 },
  sharedTokens: 32,
  timeoutUs: seconds(10),
}

/** Sends one request, at 1 s; each attempt is answered by the next of `answers`. */
function one(workload: Workload, answers: ((observer: InferenceObserver, at: number) => void)[]) {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  const sentAt: number[] = []
  const hashes: (readonly number[] | undefined)[] = []
  const load = startLoad({
    world,
    workload,
    model: 'm',
    target: 'default/chat',
    blockTokens: 16,
    route: {
      send(request, observer) {
        hashes.push(request.prefixHashes)
        answers[sentAt.length]?.(observer, clock.now)
        sentAt.push(clock.now)
        return () => undefined
      },
    },
  })
  clock.runUntil(seconds(1))
  load.endSending()
  clock.runUntil(seconds(1) + seconds(5))
  const open = [...load.openRequests()].map(({ intendedAt, outputTokens }) => ({ intendedAt, outputTokens }))
  clock.runUntil(seconds(60))
  return { record: world.journal.records[0] as RequestRecord, sentAt, open, hashes }
}

const refuse = (status: number, retryAfterUs?: number) => (observer: InferenceObserver, at: number) =>
  observer.failed({ at, kind: 'http', status, message: '', ...(retryAfterUs === undefined ? {} : { retryAfterUs }) })
const answer = (observer: InferenceObserver, at: number) => {
  observer.firstToken(at)
  observer.finished({ at, outputTokens: 10, reason: 'stop' })
}

describe('a client', () => {
  it('does not try again unless it is told to', () => {
    const { record, sentAt } = one(WORKLOAD, [refuse(503), answer])
    expect([record.outcome, record.status, record.attempts, sentAt.length]).toEqual(['http', 503, undefined, 1])
  })

  it('waits as Retry-After asks, and counts latency from its first try', () => {
    const { record, sentAt } = one({ ...WORKLOAD, retry: OPENAI_CLIENT }, [refuse(429, seconds(3)), answer])
    expect(sentAt).toEqual([seconds(1), seconds(4)])
    expect(record).toMatchObject({ outcome: 'ok', attempts: 2, ttftUs: seconds(3), e2eUs: seconds(3) })
  })

  it('backs off twice as long each time, and gives up after its last attempt', () => {
    const { record, sentAt } = one({ ...WORKLOAD, retry: OPENAI_CLIENT }, [
      refuse(500),
      refuse(500),
      refuse(500),
      answer,
    ])
    expect(record).toMatchObject({ outcome: 'http', status: 500, attempts: 3 })
    const waits = sentAt.slice(1).map((at, i) => at - sentAt[i]!)
    expect(waits[0]).toBeGreaterThanOrEqual(ms(375))
    expect(waits[0]).toBeLessThanOrEqual(ms(500))
    expect(waits[1]).toBeGreaterThanOrEqual(ms(750))
    expect(waits[1]).toBeLessThanOrEqual(ms(1000))
  })

  it('does not repeat what cannot be mended, nor what has begun to come', () => {
    const retry = OPENAI_CLIENT
    expect(one({ ...WORKLOAD, retry }, [refuse(404), answer]).sentAt).toHaveLength(1)
    const broken = (observer: InferenceObserver, at: number) => {
      observer.firstToken(at)
      observer.failed({ at, kind: 'reset', message: '' })
    }
    expect(one({ ...WORKLOAD, retry }, [broken, answer]).sentAt).toHaveLength(1)
  })

  it('is open while nothing comes, then times out; its prompt tells what it shares', () => {
    const { record, open, hashes } = one(WORKLOAD, [])
    expect(open).toEqual([{ intendedAt: seconds(1), outputTokens: 10 }])
    expect(record).toMatchObject({ outcome: 'timeout', at: seconds(11) })
    expect(hashes[0]).toHaveLength(2)
  })
})
