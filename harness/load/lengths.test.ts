import { describe, expect, it } from 'vitest'
import { randomStream } from '../../sandbox/world/random.ts'
import { type LengthDistribution, meanLength, sampleLength } from './lengths.ts'

const draw = (distribution: LengthDistribution, n = 40_000) => {
  const random = randomStream(1, 'lengths')
  return Array.from({ length: n }, () => sampleLength(distribution, random)).sort((a, b) => a - b)
}
const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length

describe('token lengths', () => {
  it('a lognormal has the mean and the 95th percentile it was given', () => {
    const xs = draw({ kind: 'lognormal', meanTokens: 600, p95Tokens: 1800 })
    expect(mean(xs) / 600).toBeCloseTo(1, 1)
    expect(xs[Math.floor(0.95 * xs.length)]! / 1800).toBeCloseTo(1, 1)
  })

  it('a uniform one reaches both its ends and nothing beyond', () => {
    const xs = draw({ kind: 'uniform', minTokens: 3, maxTokens: 7 })
    expect([xs[0], xs.at(-1)]).toEqual([3, 7])
    expect(mean(xs)).toBeCloseTo(meanLength({ kind: 'uniform', minTokens: 3, maxTokens: 7 }), 1)
  })

  it('never gives less than one token', () => {
    expect(draw({ kind: 'lognormal', meanTokens: 2, p95Tokens: 7 })[0]).toBeGreaterThanOrEqual(1)
  })
})
