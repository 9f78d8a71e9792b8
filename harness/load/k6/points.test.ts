import { expect, it } from 'vitest'
import { readPoint } from './points.ts'

/** As k6 writes a point. */
const point = (metric: string, value: number, request?: unknown) =>
  JSON.stringify({
    metric,
    type: 'Point',
    data: {
      time: '2026-11-22T00:27:39.907943477Z',
      value,
      tags: { group: '', outcome: 'ok' },
      ...(request === undefined ? {} : { metadata: { request: JSON.stringify(request) } }),
    },
  })

it('reads the points of requests', () => {
  expect(readPoint(point('seatrial_zero', 1_790_000_000_123.25))).toEqual({ kind: 'zero', ms: 1_790_000_000_123.25 })
  expect(readPoint(point('seatrial_begun', 1, { number: 3, sentAt: 17 }))).toEqual({
    kind: 'begun',
    number: 3,
    sentAt: 17,
  })
  const told = { number: 3, at: 5, why: 'a "quoted"\nline' }
  expect(readPoint(point('seatrial_ended', 1, told))).toEqual({ kind: 'ended', told })
})

it('passes over all else that k6 writes', () => {
  expect(readPoint(point('llm_itl', 20.5))).toBeUndefined()
  expect(readPoint('{"type":"Metric","data":{"name":"seatrial_ended"},"metric":"seatrial_ended"}')).toBeUndefined()
  expect(readPoint('')).toBeUndefined()
})

it('does not take a line that is cut short for nothing', () => {
  expect(() => readPoint(point('seatrial_ended', 1, {}).slice(0, -3))).toThrow(SyntaxError)
  expect(() => readPoint(point('seatrial_ended', 1))).toThrow(SyntaxError)
})
