import { describe, expect, it } from 'vitest'
import { minutes, seconds } from '../../sandbox/world/time.ts'
import { firstStepAt, replicasAtPeak, whyNoOverload } from './peak.ts'
import type { LoadPlan, PlanContext } from './plan.ts'

const context = (replicas: number, maxReplicas: number): PlanContext => ({
  workload: {
    arrival: 'poisson',
    requestsPerSecond: 1,
    promptTokens: { kind: 'constant', tokens: 100 },
    outputTokens: { kind: 'constant', tokens: 100 },
    timeoutUs: seconds(60),
  },
  replicas,
  maxReplicas,
  capacityOf: () => 5,
})

const doubled: LoadPlan = {
  base: { ofCapacity: 0.7 },
  steps: [{ at: '6m', times: 2, over: '2m' }],
  peakOfMaximum: 0.8,
  overload: 1.1,
}

describe('the peak of a load', () => {
  it('is a doubling where the autoscaler may make enough replicas for it', () => {
    expect(replicasAtPeak(doubled, context(1, 4))).toBeCloseTo(1.4)
    expect(whyNoOverload(doubled, context(1, 4))).toBeUndefined()
  })

  it('is less where the most replicas could not serve a doubling', () => {
    expect(replicasAtPeak(doubled, context(2, 3))).toBeCloseTo(2.4)
  })

  it('cannot go beyond what runs where there is nowhere to go, or nothing runs', () => {
    expect(whyNoOverload(doubled, context(3, 3))).toContain('3 of at most 3 replicas run')
    expect(whyNoOverload(doubled, context(0, 3))).toContain('no replica runs')
    expect(whyNoOverload(true, context(3, 3))).toBeUndefined()
  })

  it('begins to come with the first step', () => {
    expect(firstStepAt(doubled)).toBe(minutes(6))
    expect(firstStepAt({ base: 'given' })).toBeUndefined()
  })
})
