import { describe, expect, it } from 'vitest'
import { minutes, seconds } from '../../sandbox/world/time.ts'
import { planEndsAt, plannedWorkload, scaledTo } from './plan.ts'
import { integral } from './rate.ts'
import { rateOf } from './schedule.ts'
import { totalRate, trafficOf, type Workload } from './workload.ts'

const GIVEN: Workload = {
  arrival: 'poisson',
  requestsPerSecond: 3,
  shapes: [{ kind: 'wave', amplitude: 0.5, periodUs: minutes(60), peakAtUs: 0 }],
  promptTokens: { kind: 'constant', tokens: 500 },
  outputTokens: { kind: 'constant', tokens: 100 },
  timeoutUs: seconds(60),
}
const context = (workload: Workload) => ({
  workload,
  replicas: 2,
  // twice the prompt, half the capacity
  capacityOf: ({ promptTokens }: Workload) => 5000 / (promptTokens as { tokens: number }).tokens,
})
const between = (workload: Workload, from: string, until: string, index = 0) => {
  const at = (text: string) => minutes(Number(text))
  const { traffic } = trafficOf(workload)[index]!
  return integral(rateOf(traffic), at(from), at(until)) / ((at(until) - at(from)) / 1e6)
}

describe('a load plan', () => {
  it('true is what the user gave', () => {
    expect(plannedWorkload(true, context(GIVEN))).toBe(GIVEN)
  })

  it('of capacity is relative to what the Ready replicas serve of such requests, even but for its steps', () => {
    const plan = {
      base: { ofCapacity: 0.7 },
      steps: [{ at: '5m', times: 2, over: '1m' }],
      promptTokens: { kind: 'constant' as const, tokens: 1000 },
    }
    const workload = plannedWorkload(plan, context(GIVEN))
    expect(workload.promptTokens).toEqual({ kind: 'constant', tokens: 1000 })
    expect(between(workload, '0', '5')).toBeCloseTo(0.7 * 2 * 5)
    expect(between(workload, '5', '6')).toBeCloseTo(0.7 * 2 * 5 * 1.5)
    expect(between(workload, '6', '30')).toBeCloseTo(2 * 0.7 * 2 * 5)
    expect(planEndsAt(plan)).toBe(minutes(6))
  })

  it('given keeps the shape over time; a spike ends', () => {
    const workload = plannedWorkload({ base: 'given', steps: [{ at: '10m', times: 5, for: '2m' }] }, context(GIVEN))
    expect(between(workload, '0', '60')).toBeCloseTo(
      3 * (between(GIVEN, '0', '60') / 3) + (4 * between(GIVEN, '10', '12') * 2) / 60,
      2,
    )
    expect(between(workload, '12', '13')).toBeCloseTo(between(GIVEN, '12', '13'))
    expect(planEndsAt({ base: 'given', steps: [{ at: '10m', times: 5, for: '2m' }] })).toBe(minutes(12))
  })

  it('a step of one tenant is its own; the user’s tenants go before the plan’s', () => {
    const plan = {
      base: 'given' as const,
      tenants: [
        { name: 'quiet', share: 0.5 },
        { name: 'loud', share: 0.5 },
      ],
      steps: [{ at: '1m', times: 20, tenant: 1 }],
    }
    const workload = plannedWorkload(plan, context({ ...GIVEN, shapes: [] }))
    expect(between(workload, '1', '2', 0)).toBeCloseTo(1.5)
    expect(between(workload, '1', '2', 1)).toBeCloseTo(30)
    const own = { ...GIVEN, tenants: [{ name: 'a', share: 1 }] }
    expect(() => plannedWorkload(plan, context(own))).toThrow(/no tenant 1 \(known: a\)/)
  })

  it('tenants keep their proportion when the whole is scaled', () => {
    const tenants = [
      { name: 'a', share: 1 },
      { name: 'b', requestsPerSecond: 6 },
    ]
    const scaled = scaledTo({ ...GIVEN, tenants }, 90)
    expect(trafficOf(scaled).map(({ traffic }) => traffic.requestsPerSecond)).toEqual([30, 60])
    expect(totalRate(scaled)).toBe(90)
  })
})
