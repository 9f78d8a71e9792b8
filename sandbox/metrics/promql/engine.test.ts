import { beforeAll, describe, expect, it } from 'vitest'
import { minutes, seconds } from '../../world/time.ts'
import { QueryError } from '../querier.ts'
import { Tsdb } from '../tsdb/tsdb.ts'
import { TsdbQuerier } from './engine.ts'

const tsdb = new Tsdb({ epochMs: 0 })
const querier = new TsdbQuerier(tsdb)

/** `{a="x"} 1, {} 2` for short. */
function answer(expr: string, at = minutes(10)): string {
  const result = querier.instant(expr, at)
  if (result.type !== 'vector') return String(result.value)
  return result.samples
    .map(({ labels, value }) => {
      const text = Object.entries(labels).map(([name, label]) => `${name}="${label}"`)
      return `{${text.join(',')}} ${value}`
    })
    .join(', ')
}

function refusal(expr: string): QueryError {
  try {
    querier.instant(expr, minutes(10))
  } catch (error) {
    if (error instanceof QueryError) return error
    throw error
  }
  throw new Error(`${expr} was answered`)
}

beforeAll(() => {
  /** A sample every 15 s from 0 to 10 min. */
  const load = (labels: Record<string, string>, value: (i: number) => number | undefined) => {
    const ref = tsdb.series(labels)
    for (let i = 0; i <= 40; i++) {
      const sample = value(i)
      if (sample !== undefined) tsdb.append(ref, seconds(15 * i), sample)
    }
  }
  load({ __name__: 'requests_total', pod: 'a', node: 'n1' }, (i) => 30 * i)
  load({ __name__: 'requests_total', pod: 'b', node: 'n2' }, (i) => (i < 36 ? 15 * i : 15 * (i - 36)))
  load({ __name__: 'queue', pod: 'a' }, () => 4)
  load({ __name__: 'queue', pod: 'b' }, () => 2)
  load({ __name__: 'queue2', pod: 'a' }, () => 1)
  load({ __name__: 'old' }, (i) => (i <= 12 ? i : undefined))
  const ended = tsdb.series({ __name__: 'ended' })
  tsdb.append(ended, minutes(9), 1)
  tsdb.markStale(ended, minutes(9.5))
  for (const [le, count] of [
    ['0.1', 10],
    ['0.5', 30],
    ['1', 40],
    ['+Inf', 40],
  ] as const)
    load({ __name__: 'ttft_bucket', le }, () => count)
})

describe('selecting', () => {
  it('gives the latest sample within five minutes, none of a series that ended', () => {
    expect(answer('queue')).toBe('{__name__="queue",pod="a"} 4, {__name__="queue",pod="b"} 2')
    expect(answer('old')).toBe('')
    expect(answer('old', minutes(8) - seconds(0.001))).toBe('{__name__="old"} 12')
    expect(answer('old', minutes(8)), 'the lookback is open to the left').toBe('')
    expect(answer('ended', minutes(9.4))).toBe('{__name__="ended"} 1')
    expect(answer('ended')).toBe('')
  })

  it('shifts by offset and @', () => {
    expect(answer('requests_total{pod="a"} offset 1m')).toBe('{__name__="requests_total",node="n1",pod="a"} 1080')
    expect(answer('requests_total{pod="a"} @ 60 + 0')).toBe('{node="n1",pod="a"} 120')
    expect(answer('requests_total{pod="a"} offset -1m', minutes(5))).toContain(' 720')
    expect(answer('requests_total{pod="a"} + requests_total{pod="a"} offset 1m')).toBe('{node="n1",pod="a"} 2280')
  })
})

describe('functions over ranges', () => {
  it('extrapolate to the borders, and see through resets', () => {
    // 2m holds the samples at 8m15s … 10m: 7 steps of 30, extrapolated by the 15 s to the border
    const rate = 210 * ((105 + 15) / 105 / 120)
    expect(answer('increase(requests_total{pod="a"}[2m])')).toBe('{node="n1",pod="a"} 240')
    expect(answer('rate(requests_total{pod="a"}[2m])')).toBe(`{node="n1",pod="a"} ${rate}`)
    expect(answer('resets(requests_total{pod="b"}[5m])')).toBe('{node="n2",pod="b"} 1')
    // 21 samples less one: 19 rises of 15, and from 525 back to 0
    expect(answer('irate(requests_total{pod="b"}[5m])')).toBe('{node="n2",pod="b"} 1')
    expect(answer('increase(requests_total{pod="b"}[5m])')).toBe(`{node="n2",pod="b"} ${270 * ((285 + 15 + 0) / 285)}`)
    expect(answer('delta(requests_total{pod="a"}[2m])')).toBe('{node="n1",pod="a"} 240')
    expect(answer('deriv(requests_total{pod="a"}[5m])')).toBe('{node="n1",pod="a"} 2')
    expect(answer('predict_linear(requests_total{pod="a"}[5m], 60)')).toBe('{node="n1",pod="a"} 1320')
  })

  it('aggregate', () => {
    expect(answer('avg_over_time(requests_total{pod="a"}[1m])')).toBe('{node="n1",pod="a"} 1155')
    expect(answer('count_over_time(queue{pod="a"}[1m])')).toBe('{pod="a"} 4')
    expect(answer('max_over_time(sum(queue)[5m:1m])')).toBe('{} 6')
    expect(answer('quantile_over_time(0.5, requests_total{pod="a"}[1m])')).toBe('{node="n1",pod="a"} 1155')
    expect(answer('last_over_time(old[10m])')).toBe('{__name__="old"} 12')
    expect(answer('absent_over_time(nothing{pod="x"}[5m])')).toBe('{pod="x"} 1')
  })
})

describe('aggregations and operators', () => {
  it('group', () => {
    expect(answer('sum(queue)')).toBe('{} 6')
    expect(answer('sum by (node) (requests_total)')).toBe('{node="n1"} 1200, {node="n2"} 60')
    expect(answer('count without (pod) (queue)')).toBe('{} 2')
    expect(answer('topk(1, queue)')).toBe('{__name__="queue",pod="a"} 4')
    expect(answer('quantile(0.5, queue)')).toBe('{} 3')
    expect(answer('count_values("n", queue)')).toBe('{n="4"} 1, {n="2"} 1')
  })

  it('match vectors', () => {
    expect(answer('queue / on (pod) group_left (node) requests_total')).toBe(
      `{node="n1",pod="a"} ${4 / 1200}, {node="n2",pod="b"} ${2 / 60}`,
    )
    expect(answer('queue > 3')).toBe('{__name__="queue",pod="a"} 4')
    expect(answer('queue > bool 3')).toBe('{pod="a"} 1, {pod="b"} 0')
    expect(answer('3 > queue')).toBe('{__name__="queue",pod="b"} 2')
    expect(answer('queue and on (pod) requests_total{node="n1"}')).toBe('{__name__="queue",pod="a"} 4')
    expect(answer('queue unless on (pod) requests_total{node="n1"}')).toBe('{__name__="queue",pod="b"} 2')
    expect(answer('sum(queue) or vector(0)')).toBe('{} 6')
    expect(answer('sum(nothing) or vector(0)')).toBe('{} 0')
  })

  it('bind as in Prometheus', () => {
    expect(answer('-2 ^ 2')).toBe('-4')
    expect(answer('2 ^ 3 ^ 2')).toBe('512')
    expect(answer('1 + 2 * 3 % 4')).toBe('3')
    expect(answer('0x1F + 1_000 + 010 + 1h30m + 5m')).toBe(String(31 + 1000 + 8 + 5400 + 300))
    expect(answer('Inf - inf')).toBe('NaN')
  })
})

describe('other functions', () => {
  it('histogram_quantile', () => {
    expect(answer('histogram_quantile(0.5, ttft_bucket)')).toBe(`{} ${0.1 + 0.4 * (10 / 20)}`)
    expect(answer('histogram_quantile(0.99, ttft_bucket)')).toMatch(/^\{\} 0\.98/)
  })

  it('label_replace, label_join', () => {
    expect(answer('label_replace(queue{pod="a"}, "p", "<$1>", "pod", "(.)")')).toBe(
      '{__name__="queue",p="<a>",pod="a"} 4',
    )
    expect(answer('label_join(queue{pod="a"}, "p", "-", "pod", "__name__")')).toBe(
      '{__name__="queue",p="a-queue",pod="a"} 4',
    )
  })

  it('absent, scalar, time, dates', () => {
    expect(answer('absent(queue)')).toBe('')
    expect(answer('absent(nothing{a="b",c=~"d"})')).toBe('{a="b"} 1')
    expect(answer('scalar(queue)')).toBe('NaN')
    expect(answer('time()')).toBe('600')
    expect(answer('timestamp(old)', minutes(5))).toBe('{} 180')
    expect(answer('minute()')).toBe('{} 10')
    expect(answer('days_in_month(vector(1709164800))')).toBe('{} 29')
    expect(answer('sort_desc(queue)')).toContain('4, ')
    expect(answer('clamp(queue, 3, 3.5)')).toBe('{pod="a"} 3.5, {pod="b"} 3')
    expect(answer('round(vector(2.55), 0.1)')).toBe(`{} ${Math.floor(2.55 * (1 / 0.1) + 0.5) / (1 / 0.1)}`)
  })
})

describe('errors', () => {
  it.each([
    [
      'rate(queue)',
      'PROMQL_TYPE',
      '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    ['sum(queue', 'PROMQL_PARSE', '1:10: parse error: unclosed left parenthesis'],
    ['foo(queue)', 'PROMQL_PARSE', '1:1: parse error: unknown function with name "foo"'],
    [
      'queue +\n  "a"',
      'PROMQL_TYPE',
      '2:3: parse error: binary expression must contain only scalar and instant vector types',
    ],
    ['{a=""}', 'PROMQL_TYPE', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['1 == 2', 'PROMQL_TYPE', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    [
      'queue * on (pod) requests_total{node=~"(?=a)"}',
      'PROMQL_PARSE',
      '1:33: parse error: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    ],
    [
      'queue + on () queue',
      'PROMQL_EXECUTION',
      'found duplicate series for the match group {} on the right hand-side of the operation: [{__name__="queue", pod="a"}, {__name__="queue", pod="b"}];many-to-many matching not allowed: matching labels must be unique on one side',
    ],
    ['abs({__name__=~"queue.*",pod="a"})', 'PROMQL_EXECUTION', 'vector cannot contain metrics with the same labelset'],
  ])('%s', (expr, code, message) => {
    expect(refusal(expr)).toMatchObject({ code, message })
  })

  it.each([
    'histogram_avg(queue)',
    'info(queue)',
    'limitk(2, queue)',
    'rate(queue[5m] smoothed)',
    'queue + fill(0) queue',
    'rate(queue[step()])',
    'queue </ 3',
    'queue[5m]',
  ])('%s is refused by name', (expr) => {
    expect(refusal(expr).code).toBe('PROMQL_UNSUPPORTED')
  })
})
