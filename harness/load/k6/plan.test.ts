import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seconds } from '../../../sandbox/world/time.ts'
import { k6Plan, virtualUsersFor } from './plan.ts'

const request = (number: number, at: number, timeoutUs = seconds(10)) => ({
  number,
  planned: {
    at,
    promptTokens: 1,
    outputTokens: 1,
    timeoutUs,
    tenant: undefined,
    prefix: undefined,
    priority: undefined,
  },
  body: `{"n":${number}}`,
})
const target = { url: new URL('http://127.0.0.1:8000/v1/chat/completions'), headers: { authorization: 'Bearer x' } }
const options = { target, keepAlive: true, maxOpen: 1000, slos: [] }

it('holds the requests as they are sent', () => {
  const plan = k6Plan({ ...options, requests: [request(0, 0), request(1, 1_234_567)] })
  expect(plan).toMatchObject({
    url: 'http://127.0.0.1:8000/v1/chat/completions',
    slots: [
      { atUs: 0, timeoutUs: 10e6, body: '{"n":0}' },
      { atUs: 1_234_567, timeoutUs: 10e6, body: '{"n":1}' },
    ],
    maxDuration: '72s',
  })
})

it('has a virtual user for each request that may be under way', () => {
  // one a second for 100 s, answered or given up within 10 s
  const slots = Array.from({ length: 100 }, (_, i) => ({ atUs: seconds(i), timeoutUs: seconds(10) }))
  expect(virtualUsersFor(slots)).toBe(13)
  expect(virtualUsersFor(slots.map(({ atUs }) => ({ atUs, timeoutUs: seconds(600) })))).toBe(37)
  expect(k6Plan({ ...options, requests: [request(0, 0)] }).virtualUsers).toBe(1)
  expect(k6Plan({ ...options, maxOpen: 2, requests: [0, 1, 2, 3].map((n) => request(n, n)) }).virtualUsers).toBe(2)
})

it('never has fewer than are under way at once, up to three thousand', () => {
  const slots = fc.array(fc.record({ atUs: fc.nat(20e6), timeoutUs: fc.integer({ min: 1, max: 40e6 }) }), {
    minLength: 1,
  })
  fc.assert(
    fc.property(slots, (drawn) => {
      // one client waits as long as another, as in any workload of one kind
      const timeoutUs = drawn[0]!.timeoutUs
      const ordered = drawn.map(({ atUs }) => ({ atUs, timeoutUs })).sort((a, b) => a.atUs - b.atUs)
      const within = Math.min(timeoutUs, 30e6)
      for (const { atUs } of ordered)
        expect(virtualUsersFor(ordered)).toBeGreaterThan(
          ordered.filter((one) => one.atUs <= atUs && one.atUs > atUs - within).length,
        )
    }),
  )
})

it('is no place for keys: it is a file', () => {
  expect(JSON.stringify(k6Plan({ ...options, requests: [request(0, 0)] }))).not.toContain('Bearer')
})

it('refuses an empty one, of which k6 would say that it passed', () => {
  expect(() => k6Plan({ ...options, requests: [] })).toThrow(RangeError)
})
