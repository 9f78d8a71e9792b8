import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../world/clock.ts'
import { renderFamilies } from '../engine/metric-text.ts'
import { type CountedRequest, HttpMetrics } from './http-metrics.ts'

const REQUEST: CountedRequest = {
  handler: '/v1/models',
  path: '/v1/models',
  method: 'GET',
  status: 200,
  requestBytes: 0,
  responseBytes: 466,
  seconds: 0.02,
}

function counted(...requests: readonly Partial<CountedRequest>[]) {
  const clock = new VirtualClock()
  const metrics = new HttpMetrics(clock)
  for (const request of requests) {
    clock.runUntil(clock.now + 1e6)
    metrics.count({ ...REQUEST, ...request })
  }
  return renderFamilies(metrics.families()).split('\n')
}

const samples = (lines: readonly string[], name: string) => lines.filter((line) => line.startsWith(name))

describe('http_ metrics', () => {
  it('of no request are texts, and one empty histogram', () => {
    const lines = counted()
    expect(lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.slice(7))).toEqual([
      'http_requests_total counter',
      'http_request_size_bytes summary',
      'http_response_size_bytes summary',
      'http_request_duration_highr_seconds histogram',
      'http_request_duration_highr_seconds_created gauge',
      'http_request_duration_seconds histogram',
    ])
    expect(samples(lines, 'http_request_duration_highr_seconds_count')).toEqual([
      'http_request_duration_highr_seconds_count 0.0',
    ])
  })

  it('are told apart by handler, method and class of status, sizes by handler alone', () => {
    const lines = counted(
      {},
      { handler: undefined, path: '/nothing', status: 404, responseBytes: 22 },
      { handler: '/v1/completions', method: 'POST', status: 200, requestBytes: 90, responseBytes: 0, seconds: 0.7 },
      { handler: '/v1/completions', method: 'POST', status: 400, requestBytes: 10, responseBytes: 5 },
      { handler: '/v1/completions', method: 'POST', status: 404, requestBytes: 10, responseBytes: 5 },
    )
    expect(samples(lines, 'http_requests_total')).toEqual([
      'http_requests_total{handler="/v1/models",method="GET",status="2xx"} 1.0',
      'http_requests_total{handler="none",method="GET",status="4xx"} 1.0',
      'http_requests_total{handler="/v1/completions",method="POST",status="2xx"} 1.0',
      'http_requests_total{handler="/v1/completions",method="POST",status="4xx"} 2.0',
    ])
    expect(samples(lines, 'http_request_size_bytes_sum')[2]).toBe(
      'http_request_size_bytes_sum{handler="/v1/completions"} 110.0',
    )
    expect(samples(lines, 'http_response_size_bytes_sum')[0]).toBe(
      'http_response_size_bytes_sum{handler="/v1/models"} 466.0',
    )
    const duration = 'http_request_duration_seconds'
    expect(samples(lines, `${duration}_bucket{handler="/v1/completions"`)).toEqual([
      `${duration}_bucket{handler="/v1/completions",le="0.1",method="POST"} 2.0`,
      `${duration}_bucket{handler="/v1/completions",le="0.5",method="POST"} 2.0`,
      `${duration}_bucket{handler="/v1/completions",le="1.0",method="POST"} 3.0`,
      `${duration}_bucket{handler="/v1/completions",le="+Inf",method="POST"} 3.0`,
    ])
    expect(samples(lines, 'http_requests_created{')).toHaveLength(4)
    expect(samples(lines, 'http_requests_created{')[1]).toMatch(/ 1\.767225602e\+09$/)
  })

  it('leave out probes, scrapes and all whose path has such a word in it', () => {
    const excluded = ['/metrics', '/metricsx', '/health', '/load', '/ping', '/version', '/v1/load_lora_adapter']
    const lines = counted(
      ...excluded.map((path) => ({ path, handler: path })),
      { handler: undefined, path: '/health', method: 'POST', status: 405 },
      { handler: undefined, path: '/deep/ping/x', status: 404 },
    )
    expect(samples(lines, 'http_requests_total')).toEqual([])
    expect(samples(lines, 'http_request_duration_highr_seconds_count')).toEqual([
      'http_request_duration_highr_seconds_count 0.0',
    ])
  })
})
