import { describe, expect, it } from 'vitest'
import type { RequestRecord } from '../../sandbox/journal/record.ts'
import { ms, seconds } from '../../sandbox/world/time.ts'
import { parseSlos } from './parse.ts'
import { judgeWhole } from './whole.ts'

const answered = (ttftUs: number): RequestRecord => ({
  ...{ at: 0, type: 'request', id: 'r', target: 't', intendedAt: 0, promptTokens: 1, outputTokens: 11 },
  outcome: 'ok',
  ttftUs,
  e2eUs: ttftUs + ms(100),
})
const refused: RequestRecord = {
  ...answered(0),
  outcome: 'refused',
  ttftUs: undefined,
  e2eUs: undefined,
  outputTokens: 0,
}
const [TTFT] = parseSlos(['ttft-p95<1s'])
const many = (n: number, record: RequestRecord): RequestRecord[] => Array.from({ length: n }, () => record)

describe('a load as a whole', () => {
  it('holds a percentile while no more than its share is beyond it', () => {
    const fast = answered(ms(500))
    const slow = answered(seconds(3))
    expect(judgeWhole(TTFT!, [...many(95, fast), ...many(5, slow)])).toMatchObject({
      verdict: 'held',
      valueUs: ms(500),
    })
    expect(judgeWhole(TTFT!, [...many(94, fast), ...many(6, slow)])).toMatchObject({
      verdict: 'broken',
      judged: 100,
      good: 94,
      valueUs: seconds(3),
    })
  })

  it('counts one without an answer as the slowest', () => {
    const records = [...many(90, answered(ms(500))), ...many(10, refused)]
    expect(judgeWhole(TTFT!, records)).toMatchObject({ verdict: 'broken', valueUs: undefined, good: 90 })
  })

  it('says nothing of too few, but for what no more could mend', () => {
    expect(judgeWhole(TTFT!, many(10, answered(ms(500)))).verdict).toBe('too-few')
    expect(judgeWhole(TTFT!, [...many(10, answered(ms(500))), ...many(1, refused)]).verdict).toBe('too-few')
    expect(judgeWhole(TTFT!, many(10, refused)).verdict).toBe('broken')
  })
})

describe('objectives on a command line', () => {
  it('are latencies by percentile, and shares', () => {
    expect(parseSlos(['ttft-p95<2s, tpot-p99<=50ms', 'E2E-p99.9=1m', 'availability>99%', 'goodput>=0.9'])).toEqual([
      { kind: 'ttft', percentile: 95, limitUs: seconds(2), origin: 'given' },
      { kind: 'tpot', percentile: 99, limitUs: ms(50), origin: 'given' },
      { kind: 'e2e', percentile: 99.9, limitUs: seconds(60), origin: 'given' },
      { kind: 'availability', share: 0.99, origin: 'given' },
      {
        kind: 'goodput',
        share: 0.9,
        origin: 'given',
        limits: { ttft: seconds(2), tpot: ms(50), e2e: seconds(60) },
      },
    ])
  })

  it.each([
    'ttft<2s',
    'ttft-p0<2s',
    'ttft-p95<2',
    'ttft-p95>2s',
    'ttft-p95<0s',
    'latency-p95<2s',
    'availability>200%',
    'goodput>90%',
  ])('%s is none', (text) => expect(() => parseSlos([text])).toThrow(RangeError))
})
