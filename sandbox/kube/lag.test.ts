import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomStream } from '../world/random.ts'
import { seconds } from '../world/time.ts'
import { defaultProfile, lagProfiles, sample, TokenBucket } from './lag.ts'

describe('profiles', () => {
  it.each(lagProfiles)('$name: tables rise from 0 to 1', ({ watchDelay, requestLatency }) => {
    for (const table of [watchDelay, requestLatency.read, requestLatency.write]) {
      if (table.length === 0) continue
      expect([table[0]![0], table.at(-1)![0]]).toEqual([0, 1])
      for (let i = 1; i < table.length; i++) {
        expect(table[i]![0]).toBeGreaterThan(table[i - 1]![0])
        expect(table[i]![1]).toBeGreaterThanOrEqual(table[i - 1]![1])
      }
    }
  })

  it('samples stay within the table and have its median', () => {
    const { write } = defaultProfile.requestLatency
    const random = randomStream(1, 'lag')
    const drawn = Array.from({ length: 4001 }, () => sample(write, random)).sort((a, b) => a - b)
    const median = write.find(([p]) => p === 0.5)![1]
    expect(drawn[0]).toBeGreaterThanOrEqual(write[0]![1])
    expect(drawn.at(-1)).toBeLessThanOrEqual(write.at(-1)![1])
    expect(Math.abs(drawn[2000]! - median) / median).toBeLessThan(0.05)
  })
})

describe('TokenBucket', () => {
  it('lets a burst pass, then the rate', () => {
    const bucket = new TokenBucket({ qps: 20, burst: 30 })
    const sent = Array.from({ length: 230 }, () => bucket.take(0))
    expect(sent.filter((at) => at === 0)).toHaveLength(30)
    expect(sent.at(-1)).toBe(seconds(10))
  })

  it('never lets more pass than burst and rate allow, whenever it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200_000), { minLength: 1, maxLength: 100 }), (gaps) => {
        const bucket = new TokenBucket({ qps: 10, burst: 5 })
        let now = 0
        const sent = gaps.map((gap) => {
          now += gap
          return bucket.take(now)
        })
        sent.forEach((at, i) => {
          const earlier = sent.slice(0, i).filter((other) => at - other < seconds(1)).length
          expect(earlier).toBeLessThan(5 + 10)
        })
      }),
    )
  })

  it('refuses without owing when it is only tried', () => {
    const bucket = new TokenBucket({ qps: 1, burst: 1 })
    expect([bucket.tryTake(0), bucket.tryTake(0), bucket.tryTake(seconds(1))]).toEqual([true, false, true])
  })
})
