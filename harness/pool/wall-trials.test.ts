import { expect, it } from 'vitest'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import type { Tier } from '../../sandbox/tiers/tier.ts'
import { minutes } from '../../sandbox/world/time.ts'
import type { TrialResult } from '../verdict/verdict.ts'
import { comesUp, judgeable } from './testkit.ts'
import { expectedOf, WallTrials } from './wall-trials.ts'

const named = (slug: string) => comesUp(slug, { load: false, watchFor: '10s' })

it('runs as many at once as it may, in the order in which they were asked for, also after one that fails', async () => {
  let up = 0
  let most = 0
  const begun: number[] = []
  const tier: Tier = {
    ...sim,
    async up(options) {
      begun.push(options.seed)
      most = Math.max(most, ++up)
      await new Promise((resolve) => setTimeout(resolve, 5))
      up--
      if (options.seed === 2) throw new Error('no control plane')
      return sim.up(options)
    },
  }
  let now = 0
  const trials = new WallTrials({ size: 2, now: () => now++ })
  const what = { scenario: named('first'), judgeable, tier }
  const ended = await Promise.allSettled([1, 2, 3, 4].map((seed) => trials.attempt(what, seed, {})))
  expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(begun).toEqual([1, 2, 3, 4])
  expect(most).toBe(2)
  expect(trials.tookMs('first', judgeable.key)).toBeGreaterThan(0)
  expect(trials.tookMs('second', judgeable.key)).toBe(0)
})

it('says how long trials will take that run side by side, by what they take simulated', async () => {
  const scenarios = [named('first'), named('second')]
  const options = { judgeables: [judgeable], scenarios, seeds: [1, 2] }
  const simulated = async ({ slug }: { slug: string }) =>
    ({ simulatedUs: slug === 'first' ? minutes(10) : minutes(2) }) as TrialResult
  expect(await expectedOf({ ...options, size: 2 }, simulated)).toEqual({ trials: 4, us: minutes(12) })
  expect(await expectedOf({ ...options, size: 1 }, simulated)).toEqual({ trials: 4, us: minutes(24) })
})
