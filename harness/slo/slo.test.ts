import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RequestRecord } from '../../sandbox/journal/record.ts'
import { ms, seconds } from '../../sandbox/world/time.ts'
import type { OpenRequest } from '../load/simulated-sender.ts'
import { Attainment } from './attainment.ts'
import { gradeOf, gradeOpen, latencyOf } from './grade.ts'
import { limitsOf, type Objective, objectivesFor, samplesNeeded } from './objective.ts'

const TTFT: Objective = { kind: 'ttft', percentile: 95, limitUs: seconds(2), origin: 'given' }
const TPOT: Objective = { kind: 'tpot', percentile: 95, limitUs: ms(100), origin: 'given' }
const E2E: Objective = { kind: 'e2e', percentile: 99, limitUs: seconds(20), origin: 'given' }
const AVAILABLE: Objective = { kind: 'availability', share: 0.99, origin: 'assumed' }
const GOODPUT: Objective = {
  kind: 'goodput',
  share: 0.9,
  limits: { ttft: seconds(2), tpot: ms(100) },
  origin: 'given',
}

const request = (from: Partial<RequestRecord> & { intendedAt: number }): RequestRecord => ({
  type: 'request',
  id: 'r',
  target: 'default/chat',
  outcome: 'ok',
  promptTokens: 100,
  outputTokens: 11,
  at: from.intendedAt + (from.e2eUs ?? seconds(2)),
  ttftUs: seconds(1),
  e2eUs: seconds(2),
  ...from,
})
const open = (from: Partial<OpenRequest>): OpenRequest => ({
  id: 'r0',
  pod: undefined,
  intendedAt: 0,
  tenant: undefined,
  firstTokenAt: undefined,
  outputTokens: 11,
  ...from,
})
const unanswered = { ttftUs: undefined, e2eUs: undefined, outputTokens: 0 } as const
const ended = (outcome: RequestRecord['outcome'], afterUs: number): RequestRecord => {
  const { ttftUs: _t, e2eUs: _e, ...rest } = request({ intendedAt: 0, outcome, outputTokens: 0 })
  return { ...rest, at: afterUs }
}

describe('what a request says of an objective', () => {
  it('TPOT is what follows the first token, by token', () => {
    expect(latencyOf(request({ intendedAt: 0 }), 'tpot')).toBe(ms(100))
    expect(latencyOf(request({ intendedAt: 0, outputTokens: 1 }), 'tpot')).toBeUndefined()
  })

  it.each<[string, RequestRecord, Objective, boolean | undefined]>([
    ['in time', request({ intendedAt: 0 }), TTFT, true],
    ['on the limit', request({ intendedAt: 0, ttftUs: seconds(2) }), TTFT, true],
    ['late', request({ intendedAt: 0, ttftUs: seconds(2) + 1 }), TTFT, false],
    ['never answered', ended('timeout', seconds(60)), TTFT, false],
    ['refused at once: no answer is late without end', ended('refused', 0), TTFT, false],
    ['broken off by the trial after its limit', ended('unfinished', seconds(3)), TTFT, false],
    ['broken off by the trial before', ended('unfinished', seconds(1)), TTFT, undefined],
    ['of no pace to speak of', ended('timeout', seconds(60)), TPOT, undefined],
    ['truncated', request({ intendedAt: 0, outcome: 'truncated' }), E2E, false],
    ['truncated', request({ intendedAt: 0, outcome: 'truncated' }), AVAILABLE, false],
    ['an error', ended('http', 0), AVAILABLE, false],
    ['silent to the end', ended('unfinished', seconds(30)), AVAILABLE, false],
    [
      'still coming at the end',
      request({ intendedAt: 0, outcome: 'unfinished', ...unanswered, ttftUs: 5 } as never),
      AVAILABLE,
      undefined,
    ],
    ['within all limits', request({ intendedAt: 0 }), GOODPUT, true],
    ['too slow by token only', request({ intendedAt: 0, e2eUs: seconds(2) + 20 }), GOODPUT, false],
    ['late only', request({ intendedAt: 0, ttftUs: seconds(3), e2eUs: seconds(4) }), GOODPUT, false],
  ])('one %s', (_, record, objective, good) => {
    expect(gradeOf(record, objective)).toBe(good)
  })

  it.each<[string, Partial<OpenRequest>, Objective, number, boolean | undefined]>([
    ['waits', {}, TTFT, seconds(1), undefined],
    ['waits too long', {}, TTFT, seconds(3), false],
    ['was late and goes on', { firstTokenAt: seconds(3) }, TTFT, seconds(4), false],
    ['stopped between two tokens', { firstTokenAt: seconds(1) }, TPOT, seconds(2.1), false],
    ['goes on', { firstTokenAt: seconds(1) }, TPOT, seconds(2), undefined],
    ['has taken too long', { firstTokenAt: seconds(1) }, E2E, seconds(21), false],
    ['hangs', {}, AVAILABLE, seconds(31), false],
    ['is lost for goodput', {}, GOODPUT, seconds(3), false],
  ])('one under way that %s', (_, from, objective, now, good) => {
    expect(gradeOpen(open(from), objective, now)).toBe(good)
  })
})

const filled = (objective: Objective, records: readonly RequestRecord[], windowUs = seconds(60)) => {
  const attainment = new Attainment({ objective, windowUs, startUs: 0 })
  for (const record of records) attainment.add(record)
  return attainment
}
const every = (us: number, untilUs: number, of: (at: number, i: number) => Partial<RequestRecord>) =>
  Array.from({ length: Math.floor(untilUs / us) }, (_, i) => request({ intendedAt: i * us, ...of(i * us, i) }))

describe('windows', () => {
  it('goodput by hand: 100 requests, 4 late, 3 slow, 2 both, 5 failed', () => {
    const bad = (i: number): Partial<RequestRecord> => {
      if (i < 4) return { ttftUs: seconds(3), e2eUs: seconds(4) }
      if (i < 7) return { e2eUs: seconds(9) }
      if (i < 9) return { ttftUs: seconds(3), e2eUs: seconds(9) }
      return i < 14 ? { outcome: 'http' } : {}
    }
    const worst = filled(
      GOODPUT,
      every(seconds(0.6), seconds(60), (_, i) => bad((i * 37) % 100)),
    ).worst({
      now: seconds(60),
      open: [],
    })
    expect(worst).toMatchObject({ share: 0.86, broken: true, window: { judged: 100, good: 86 } })
  })

  it('the percentile is within its limit just when the window is not broken', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 20, maxLength: 150 }),
        fc.constantFrom(50, 90, 95),
        (values, percentile) => {
          const objective: Objective = { ...TTFT, percentile } as Objective
          fc.pre(values.length >= samplesNeeded(objective))
          const sorted = [...values].sort((a, b) => a - b)
          const exact = sorted[Math.ceil(Number(((percentile / 100) * values.length).toPrecision(12))) - 1]!
          const records = values.map((value, i) =>
            request({
              intendedAt: Math.floor((i * seconds(60)) / values.length),
              ttftUs: ms(value),
              e2eUs: seconds(9),
            }),
          )
          const judged = filled(objective, records, seconds(60)).worst({ now: seconds(60), open: [] })
          expect(judged!.broken).toBe(exact > 2000)
        },
      ),
      { seed: 1 },
    )
  })

  it('a server that hangs is broken before a single request has ended', () => {
    const attainment = filled(TTFT, [])
    const hung = Array.from({ length: 60 }, (_, i) => open({ intendedAt: seconds(i) }))
    expect(attainment.firstBroken({ now: seconds(60), open: hung })).toMatchObject({ broken: true, share: 0 })
    const later = new Attainment({ objective: TTFT, windowUs: seconds(60), startUs: seconds(60) })
    expect(later.firstBroken({ now: seconds(70), open: hung })).toBeUndefined()
  })

  it('a bad minute among good ones is found, though all together are within the limit', () => {
    const records = every(seconds(0.5), seconds(1200), (at) =>
      at >= seconds(300) && at < seconds(320) ? { ttftUs: seconds(3), e2eUs: seconds(4) } : {},
    )
    const attainment = filled(TTFT, records)
    const broken = attainment.firstBroken({ now: seconds(1200), open: [] })
    expect(broken!.window.fromUs).toBeGreaterThan(seconds(240))
    expect(broken!.window.untilUs).toBeLessThanOrEqual(seconds(320))
    expect(filled(TTFT, records, seconds(1200)).worst({ now: seconds(1200), open: [] })!.broken).toBe(false)
  })

  it('few requests make longer windows, too few are not judged', () => {
    const slow = every(seconds(10), seconds(600), () => ({ ttftUs: seconds(3), e2eUs: seconds(4) }))
    const broken = filled(TTFT, slow).firstBroken({ now: seconds(600), open: [] })!
    expect(broken.window.judged).toBeGreaterThanOrEqual(20)
    expect(filled(TTFT, slow.slice(0, 19)).worst({ now: seconds(600), open: [] })).toBeUndefined()
    expect([TTFT, E2E, AVAILABLE, GOODPUT].map(samplesNeeded)).toEqual([20, 100, 100, 10])
  })

  it('is met again only after the last broken window, and when enough is known', () => {
    const records = every(seconds(0.5), seconds(600), (at) =>
      at >= seconds(200) && at < seconds(300) ? { ttftUs: seconds(5), e2eUs: seconds(6) } : {},
    )
    const attainment = filled(TTFT, records)
    const again = attainment.recovered(seconds(190), { now: seconds(600), open: [] })!
    expect(again.fromUs).toBeGreaterThanOrEqual(seconds(290))
    expect(again.fromUs).toBeLessThanOrEqual(seconds(305))
    expect(attainment.recovered(seconds(190), { now: seconds(320), open: [] })).toBeUndefined()
    const hung = Array.from({ length: 100 }, (_, i) => open({ intendedAt: seconds(500 + i) }))
    expect(attainment.recovered(seconds(190), { now: seconds(600), open: hung })).toBeUndefined()
  })
})

describe('objectives', () => {
  it('all are those given, and availability; what is assumed is judged by name', () => {
    const slos = [AVAILABLE, TTFT, { ...TPOT, origin: 'assumed' as const }, { ...GOODPUT, origin: 'assumed' as const }]
    expect(objectivesFor(slos, 'all').map(({ kind }) => kind)).toEqual(['availability', 'ttft'])
    expect(objectivesFor(slos, 'tpot')).toHaveLength(1)
    expect(limitsOf([TTFT, { ...TTFT, percentile: 99, limitUs: seconds(5) }, TPOT])).toEqual({
      ttft: seconds(5),
      tpot: ms(100),
    })
  })
})
