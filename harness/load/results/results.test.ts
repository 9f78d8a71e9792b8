import { describe, expect, it } from 'vitest'
import { ms, seconds } from '../../../sandbox/world/time.ts'
import { parseSlos } from '../../slo/parse.ts'
import { scheduled } from '../http/requests.ts'
import type { LoadRecord } from '../http/sender.ts'
import { LOCAL_MARK } from '../http/sending.ts'
import { expectedHits } from './expected-hits.ts'
import { judgeLoad } from './judge.ts'
import { Distribution, percentilesOf } from './percentiles.ts'
import { summarise } from './summary.ts'

function record(i: number, over: Partial<LoadRecord> = {}): LoadRecord {
  const intendedAt = ms(100) * i
  return {
    ...{
      at: intendedAt + ms(500),
      type: 'request',
      id: `r${i}`,
      target: 'chat',
      outcome: 'ok',
      ended: 'ok',
      intendedAt,
    },
    ...{ sentAt: intendedAt + 500, ttftUs: ms(100), e2eUs: ms(500), promptTokens: 10, gotPromptTokens: 11 },
    ...{
      cachedTokens: undefined,
      askedTokens: 5,
      outputTokens: 5,
      itlUs: [ms(100), ms(100), ms(100), ms(100)],
      why: undefined,
    },
    ...over,
  } as LoadRecord
}

const hundred = (over: (i: number) => Partial<LoadRecord> = () => ({})) =>
  Array.from({ length: 100 }, (_, i) => record(i, over(i)))
const summaryOf = (records: readonly LoadRecord[]) =>
  summarise(records, { fromUs: 0, untilUs: seconds(10) }, { limits: { ttft: ms(200) }, slackUs: ms(50) })

function judged(records: readonly LoadRecord[], loopDelayP99Us = 0, slos = parseSlos(['ttft-p95<200ms'])) {
  const { outcome, doubts } = judgeLoad(records, summaryOf(records), {
    slos,
    health: { loopDelayP99Us, maxOpen: 100 },
    maxDelayUs: ms(50),
  })
  return [outcome, ...doubts.map(({ code }) => code)]
}

describe('a summary', () => {
  it('counts what was planned, sent, answered and good', () => {
    const slow = summaryOf(
      hundred((i) =>
        i < 10
          ? { ttftUs: ms(300) }
          : i < 12
            ? {
                ended: 'http',
                outcome: 'http',
                status: 503,
                ttftUs: undefined,
                e2eUs: undefined,
                outputTokens: 0,
                itlUs: [],
              }
            : {},
      ),
    )
    expect(slow).toMatchObject({
      planned: 100,
      ended: { ok: 98, 'http 503': 2 },
      intendedPerSecond: 10,
      sentPerSecond: 10,
      ttft: { count: 98, p50Us: ms(100), p95Us: ms(300) },
      tpot: { p50Us: ms(100) },
      e2e: { count: 98 },
      goodput: { share: 0.88, perSecond: 8.8 },
      tokens: { asked: 500, got: 490, gotPrompt: 1100, plannedOfGot: 1000, gotPerSecond: 49 },
    })
    expect(slow.itl!.count).toBe(392)
    expect(slow.delay!.maxUs).toBe(500)
  })

  it('leaves out what was meant to be sent before and after', () => {
    const { planned, intendedPerSecond } = summarise(
      hundred(),
      { fromUs: seconds(2), untilUs: seconds(4) },
      { limits: undefined, slackUs: 0 },
    )
    expect([planned, intendedPerSecond]).toEqual([20, 10])
  })
})

describe('a verdict', () => {
  it('is that of the SLOs where the load was as planned', () => {
    expect(judged(hundred())).toEqual(['PASS'])
    expect(judged(hundred((i) => (i % 10 === 0 ? { ttftUs: ms(300) } : {})))).toEqual(['FAIL'])
  })

  it.each<[string, readonly LoadRecord[], number]>([
    ['RATE_MISSED', hundred((i) => (i > 97 ? { sentAt: undefined } : {})), 0],
    ['SENT_LATE', hundred((i) => (i % 20 === 0 ? { sentAt: ms(100) * i + ms(80) } : {})), 0],
    ['SENDER_BUSY', hundred(), ms(60)],
    [
      'NO_SOCKETS',
      hundred((i) => (i === 3 ? { ended: 'refused', outcome: 'refused', why: `${LOCAL_MARK}EMFILE` } : {})),
      0,
    ],
    ['TOO_FEW', hundred().slice(0, 5), 0],
    ['NO_REQUESTS', [], 0],
  ])('is INVALID by %s', (code, records, loopDelay) => {
    const [outcome, ...codes] = judged(records, loopDelay)
    expect(outcome).toBe('INVALID')
    expect(codes).toContain(code)
  })
})

it('percentiles are nearest ranks, and those of a histogram within three digits of them', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000)
  const exact = percentilesOf(values)!
  expect(exact).toMatchObject({ count: 1000, p50Us: 499, p95Us: 949, p99Us: 989, maxUs: 999 })
  const histogram = new Distribution()
  for (const value of values) histogram.add(value * 1000)
  const near = histogram.percentiles()!
  expect(Math.abs(near.p99Us / 1000 / exact.p99Us - 1)).toBeLessThan(0.002)
  expect([percentilesOf([]), new Distribution().percentiles()]).toEqual([undefined, undefined])
})

it('hits of an endless cache follow from what prompts have in common', () => {
  const base = { arrival: 'constant', requestsPerSecond: 10, timeoutUs: seconds(9) } as const
  const lengths = {
    promptTokens: { kind: 'constant', tokens: 161 },
    outputTokens: { kind: 'constant', tokens: 4 },
  } as const
  const plan = (sharedTokens: number) =>
    scheduled({ ...base, ...lengths, sharedTokens }, { seed: 1, server: 'chat', untilUs: seconds(1.05) })
  expect(expectedHits(plan(0))).toBe(0)
  // all but the first find 80 of 161
  expect(expectedHits(plan(80))).toBeCloseTo((9 / 10) * (80 / 161), 9)
})
