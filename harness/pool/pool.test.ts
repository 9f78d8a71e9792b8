import { expect, it } from 'vitest'
import { defaultProfile } from '../../sandbox/kube/lag.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { runTrial } from '../trial.ts'
import { TrialPool } from './pool.ts'
import { comesUp, judgeable, platform } from './testkit.ts'
import { Threads } from './threads.ts'

const named = (slug: string) => comesUp(slug, { load: true, watchFor: '1m' })
const what = { scenario: named('first'), judgeable, tier: sim }

it.each([1, 2])('gives the results of one thread, byte for byte, with %i at once', async (size) => {
  await using threads = new Threads()
  threads.startAhead(size - 1)
  using pool = new TrialPool({ platform, lag: defaultProfile, size, threads, now: () => 0 })
  const seeds = [1, 2, 3, 4]
  const results = await Promise.all(seeds.map((seed) => pool.attempt(what, seed, {})))
  const setup = judgeable.prepare({})
  for (const [i, seed] of seeds.entries())
    expect(results[i]).toEqual(await runTrial({ scenario: what.scenario, setup, tier: sim, seed }))
})

it('takes what was asked for first before all that was asked for later', async () => {
  await using threads = new Threads()
  using pool = new TrialPool({ platform, lag: defaultProfile, size: 1, threads, now: () => 0 })
  const order: string[] = []
  const ask = async (slug: string, seed: number) => {
    const { scenario } = await pool.attempt({ ...what, scenario: named(slug) }, seed, {})
    order.push(scenario)
  }
  const [first, later] = ['first', 'later'] as const
  await Promise.all([ask(first, 1).then(() => ask(first, 2)), ask(later, 1), ask(later, 2)])
  expect(order).toEqual([first, first, later, later])
})

it('fails the trial of a thread that dies, and goes on with the others', async () => {
  await using threads = new Threads()
  using pool = new TrialPool({ platform, lag: defaultProfile, size: 2, threads, now: () => 0 })
  const taken = threads.take.bind(threads)
  let died = false
  threads.take = () => {
    const worker = taken()
    if (!died) void worker.terminate()
    died = true
    return worker
  }
  const results = await Promise.allSettled([1, 2, 3, 4].map((seed) => pool.attempt(what, seed, {})))
  const lost = results.filter(({ status }) => status === 'rejected')
  expect(lost).toHaveLength(1)
  expect((lost[0] as PromiseRejectedResult).reason.message).toBe('a thread of the trial pool ended')
})
