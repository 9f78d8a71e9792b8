import { describe, expect, it } from 'vitest'
import { randomStream } from '../../sandbox/world/random.ts'
import { seconds } from '../../sandbox/world/time.ts'
import { type Planned, schedule } from './schedule.ts'
import type { Workload } from './workload.ts'

const workload = (arrival: Workload['arrival']): Workload => ({
  arrival,
  requestsPerSecond: 20,
  promptTokens: { kind: 'constant', tokens: 100 },
  outputTokens: { kind: 'constant', tokens: 10 },
  timeoutUs: seconds(60),
})

function take(arrival: Workload['arrival'], n: number, seed = 1): Planned[] {
  const plan = schedule(workload(arrival), seconds(5), (stream) => randomStream(seed, stream))
  return Array.from({ length: n }, () => plan.next().value!)
}

describe('schedule', () => {
  it('a constant rate has equal gaps and does not drift', () => {
    const planned = take('constant', 20_000)
    expect(planned[0]!.at).toBe(seconds(5.05))
    expect(planned.at(-1)!.at).toBe(seconds(5 + 1000))
  })

  it('a Poisson process has the rate it was given, and gaps as spread as their mean', () => {
    const planned = take('poisson', 20_000)
    const gaps = planned.slice(1).map((p, i) => p.at - planned[i]!.at)
    const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length
    const deviation = Math.sqrt(gaps.reduce((a, b) => a + (b - mean) ** 2, 0) / gaps.length)
    expect(mean / 50_000).toBeCloseTo(1, 1)
    expect(deviation / mean).toBeCloseTo(1, 1)
  })

  it('is the same for the same stream', () => {
    expect(take('poisson', 50)).toEqual(take('poisson', 50))
    expect(take('poisson', 50)).not.toEqual(take('poisson', 50, 2))
  })
})
