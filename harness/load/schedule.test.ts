import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomStream } from '../../sandbox/world/random.ts'
import { minutes, seconds } from '../../sandbox/world/time.ts'
import { gaps } from './arrival.ts'
import { constantRate, integral, product, type RateShape, Rescaling, shapeOf } from './rate.ts'
import { type Planned, rateOf, schedule } from './schedule.ts'
import type { Tenant, Workload } from './workload.ts'

const BASE: Workload = {
  arrival: 'poisson',
  requestsPerSecond: 20,
  promptTokens: { kind: 'lognormal', meanTokens: 600, p95Tokens: 1800 },
  outputTokens: { kind: 'constant', tokens: 10 },
  timeoutUs: seconds(60),
}

function until(workload: Workload, endUs: number, seed = 1): Planned[] {
  const planned: Planned[] = []
  for (const one of schedule(workload, 0, (stream) => randomStream(seed, stream))) {
    if (one.at >= endUs) break
    planned.push(one)
  }
  return planned
}

it('prompts and answers stay within a context that is given, and are what they were otherwise', () => {
  const lengths = (workload: Workload) => until(workload, seconds(60)).map((p) => p.promptTokens + p.outputTokens)
  const free = lengths(BASE)
  expect(Math.max(...free)).toBeGreaterThan(2000)
  expect(lengths({ ...BASE, contextTokens: 2000 })).toEqual(free.map((tokens) => Math.min(tokens, 2000)))
})

describe('arrivals', () => {
  it.each([
    ['gamma', 0.4],
    ['gamma', 1],
    ['gamma', 3],
    ['weibull', 0.5],
    ['weibull', 2],
  ] as const)('%s gaps have mean 1 and the variation %d', (kind, cv) => {
    const gap = gaps(kind, cv, randomStream(1, `${kind} ${cv}`))
    gap()
    const xs = Array.from({ length: 200_000 }, gap)
    const mean = xs.reduce((a, b) => a + b, 0) / xs.length
    const deviation = Math.sqrt(xs.reduce((a, b) => a + (b - mean) ** 2, 0) / xs.length)
    expect(Math.abs(mean - 1)).toBeLessThan(0.03)
    expect(Math.abs(deviation / mean / cv - 1)).toBeLessThan(0.04)
  })

  it.each(['gamma', 'weibull'] as const)('%s bursts do not raise the expected count of a short load', (arrival) => {
    const workload: Workload = { ...BASE, arrival, cv: 3, requestsPerSecond: 5 }
    const counts = Array.from({ length: 3000 }, (_, seed) => until(workload, seconds(2), seed).length)
    const mean = counts.reduce((a, b) => a + b, 0) / counts.length
    // without the equilibrium's first gap it would be 14
    expect(Math.abs(mean - 10)).toBeLessThan(0.6)
  })
})

const shape = fc.oneof(
  fc.record({
    kind: fc.constant('steps' as const),
    steps: fc.array(
      fc.record({
        atUs: fc.integer({ min: 0, max: 600 }).map(seconds),
        times: fc.double({ min: 0.1, max: 4, noNaN: true }),
        overUs: fc.integer({ min: 0, max: 90 }).map(seconds),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
  fc.record({
    kind: fc.constant('wave' as const),
    amplitude: fc.double({ min: 0, max: 1, noNaN: true }),
    periodUs: fc.integer({ min: 60, max: 3600 }).map(seconds),
    peakAtUs: fc.integer({ min: 0, max: 3600 }).map(seconds),
  }),
)

describe('rates over time', () => {
  it('a rate of constant arrivals gives as many requests as its integral, for any shapes', () => {
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 3 }), (shapes: RateShape[]) => {
        const workload: Workload = { ...BASE, arrival: 'constant', shapes }
        const expected = integral(rateOf(workload), 0, minutes(15))
        expect(Math.abs(until(workload, minutes(15)).length - expected)).toBeLessThanOrEqual(1)
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  it('a Poisson process of a moving rate has its integral as mean, and as much variance', () => {
    const shapes: RateShape[] = [
      {
        kind: 'steps',
        steps: [
          { atUs: seconds(10), times: 3, overUs: seconds(10) },
          { atUs: seconds(40), times: 0.5 },
        ],
      },
    ]
    const workload: Workload = { ...BASE, requestsPerSecond: 2, shapes }
    const expected = integral(rateOf(workload), 0, seconds(60))
    expect(expected).toBeCloseTo(20 + 40 + 120 + 20, 6)
    const counts = Array.from({ length: 1500 }, (_, seed) => until(workload, seconds(60), seed).length)
    const mean = counts.reduce((a, b) => a + b, 0) / counts.length
    const variance = counts.reduce((a, b) => a + (b - mean) ** 2, 0) / counts.length
    expect(Math.abs(mean / expected - 1)).toBeLessThan(0.01)
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.15)
  })

  it('rescaling is the inverse of the integral', () => {
    fc.assert(
      fc.property(
        shape,
        shape,
        fc.double({ min: 0.01, max: 3000, noNaN: true }),
        (a: RateShape, b: RateShape, value) => {
          const rate = product(product(constantRate(3), shapeOf(a)), shapeOf(b))
          const time = new Rescaling(rate).timeAt(value)
          expect(integral(rate, 0, time)).toBeCloseTo(value, 4)
        },
      ),
      { seed: 1, numRuns: 100 },
    )
  })

  it('steps that repeat begin again; a rate that ends at nothing ends the schedule', () => {
    const steps = [{ atUs: seconds(10), times: 2 }]
    const repeated = product(constantRate(1), shapeOf({ kind: 'steps', steps, repeatUs: seconds(20) }))
    expect(integral(repeated, 0, seconds(20))).toBeCloseTo(30)
    expect(integral(repeated, seconds(20), seconds(40))).toBeCloseTo(40)
    const stopped: Workload = {
      ...BASE,
      shapes: [
        { kind: 'steps', steps: [{ atUs: seconds(10), times: 0 }] },
        { kind: 'wave', amplitude: 0.5, periodUs: seconds(60), peakAtUs: 0 },
      ],
    }
    const all = [...schedule(stopped, 0, (stream) => randomStream(1, stream))]
    expect(all.length).toBeGreaterThan(100)
    expect(all.at(-1)!.at).toBeLessThanOrEqual(seconds(10))
  })
})

describe('tenants', () => {
  const tenants: Tenant[] = [
    { name: 'a', share: 0.5, arrival: 'gamma', cv: 2 },
    { name: 'b', share: 0.3, sharedTokens: 300, sessions: { turns: 4, thinkUs: seconds(5), maxPromptTokens: 6000 } },
  ]

  it('another one leaves the others as they were, byte for byte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.nat({ max: 2 }), (seed, place) => {
        const more = [...tenants]
        more.splice(place, 0, { name: 'new', requestsPerSecond: 7 })
        const before = until({ ...BASE, tenants }, seconds(30), seed)
        const after = until({ ...BASE, tenants: more }, seconds(30), seed)
        expect(after.length).toBeGreaterThan(before.length)
        for (const name of ['a', 'b'])
          expect(JSON.stringify(after.filter((one) => one.tenant === name))).toBe(
            JSON.stringify(before.filter((one) => one.tenant === name)),
          )
        expect(after.every((one, i) => i === 0 || one.at >= after[i - 1]!.at)).toBe(true)
      }),
      { seed: 1, numRuns: 20 },
    )
  })

  it('a burst of one is its own', () => {
    const bursting = tenants.map((tenant) =>
      tenant.name === 'b'
        ? { ...tenant, shapes: [{ kind: 'steps' as const, steps: [{ atUs: seconds(10), times: 20 }] }] }
        : tenant,
    )
    const counts = (some: Planned[], name: string) =>
      some.filter((one) => one.tenant === name && one.at >= seconds(10)).length
    const [before, after] = [
      until({ ...BASE, tenants }, seconds(60)),
      until({ ...BASE, tenants: bursting }, seconds(60)),
    ]
    expect(counts(after, 'a')).toBe(counts(before, 'a'))
    expect(counts(after, 'b') / counts(before, 'b')).toBeGreaterThan(17)
  })
})

describe('sessions', () => {
  const sessions = { turns: 4, thinkUs: seconds(10), maxPromptTokens: 6000 }
  const planned = until({ ...BASE, sharedTokens: 200, sessions }, minutes(20))

  it('keep the rate of requests, and grow turn by turn up to their limit', () => {
    expect(Math.abs(planned.length / (20 * 1200) - 1)).toBeLessThan(0.03)
    const turns = new Map<number, Planned[]>()
    for (const one of planned) {
      const id = one.prefix?.kind === 'shared' ? one.prefix.session! : -1
      turns.set(id, [...(turns.get(id) ?? []), one])
    }
    const later = planned.slice(planned.length / 2)
    for (const session of turns.values())
      for (const [i, one] of session.entries()) {
        if (i === 0) continue
        const before = session[i - 1]!
        expect(one.at - before.at).toBeGreaterThanOrEqual(seconds(10))
        expect(one.promptTokens).toBeGreaterThan(before.promptTokens + before.outputTokens)
        expect(one.promptTokens).toBeLessThanOrEqual(6000)
      }
    const begun = later.filter((one) => one.prefix?.kind === 'shared' && turns.get(one.prefix.session!)![0] === one)
    // a quarter begin a session, somewhat more as long ones are cut
    expect(begun.length / later.length).toBeGreaterThan(0.24)
    expect(begun.length / later.length).toBeLessThan(0.4)
  })
})
