import { expect, it } from 'vitest'
import { whyInvalid } from './run.ts'
import { readSummary } from './summary.ts'

/** As `k6 run --summary-export` writes it. */
const exported = (metrics: object) => JSON.stringify({ root_group: {}, metrics })
const RUN = exported({
  http_req_failed: { passes: 61, fails: 0, thresholds: { 'rate<0.01': true }, value: 1 },
  http_req_duration: { avg: 132, 'p(99)': 146.4, thresholds: { 'p(99)<=200': false } },
  http_reqs: { count: 61, rate: 20.3 },
  iterations: { count: 61, rate: 20.3 },
  checks: { passes: 60, fails: 1, value: 0.98 },
})

it('reads what k6 exports, where true is a threshold crossed', () => {
  expect(readSummary(RUN)).toMatchObject({
    thresholds: [
      { metric: 'http_req_duration', expression: 'p(99)<=200', ok: true },
      { metric: 'http_req_failed', expression: 'rate<0.01', ok: false },
    ],
    checks: { passed: 60, failed: 1 },
    requests: 61,
    failedShare: 1,
    iterations: 61,
    dropped: 0,
  })
  expect(readSummary(RUN).metrics['http_req_duration']).toEqual({ avg: 132, 'p(99)': 146.4 })
})

it('finds nothing proven where nothing was sent, whatever k6 says', () => {
  const nothing = readSummary(
    exported({ iterations: { count: 6 }, http_req_duration: { thresholds: { 'p(99)<=1': false } } }),
  )
  expect(whyInvalid('ended', nothing)).toMatch(/sent no HTTP request/)
  expect(whyInvalid('ended', undefined)).toMatch(/no summary/)
  expect(whyInvalid('ended', readSummary(RUN))).toBeUndefined()
})

it('finds a load below the rate asked for invalid', () => {
  const run = (dropped: number) =>
    readSummary(
      exported({ http_reqs: { count: 99 }, iterations: { count: 99 }, dropped_iterations: { count: dropped } }),
    )
  expect(whyInvalid('ended', run(1))).toBeUndefined()
  expect(whyInvalid('slo-breached', run(2))).toMatch(/dropped 2 of 101/)
})
