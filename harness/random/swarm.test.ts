import { describe, expect, it } from 'vitest'
import { runDrill } from './drill.ts'
import { randomPlan } from './generate/faults.ts'
import { randomPlatform } from './generate/platform.ts'
import { runCase, type SwarmReply } from './swarm-worker.ts'

const textOf = ({ platform, seed, result }: SwarmReply): string[] =>
  result.violations.map(({ invariant, what }) => `--platform ${platform} --seed ${seed}: ${invariant}: ${what}`)

describe('random platforms under random faults keep the rules of a cluster', () => {
  it.each([1, 11, 21, 31])('platforms from %i on', { timeout: 60_000 }, async (from) => {
    const replies: SwarmReply[] = []
    for (let platform = from; platform < from + 10; platform++)
      for (const seed of [1, 2])
        replies.push(await runCase({ platform, seed, twice: seed === 1 && platform % 5 === 0 }))
    expect(replies.flatMap(textOf)).toEqual([])
    // and something did happen
    const sum = (of: (reply: SwarmReply) => number) => replies.reduce((total, reply) => total + of(reply), 0)
    expect(sum(({ result }) => result.ready)).toBeGreaterThan(20)
    expect(sum(({ result }) => result.programs)).toBeGreaterThan(100)
    expect(sum(({ result }) => result.faults)).toBeGreaterThan(10)
    expect(sum(({ result }) => result.tally.evictionsCounted)).toBeGreaterThan(5)
    expect(sum(({ result }) => result.tally.evictionsRefused)).toBeGreaterThan(5)
  })

  it('another seed is another journal', async () => {
    const [a, b] = await Promise.all([1, 2].map((seed) => runDrill(randomPlatform(3), randomPlan(1, 3), seed)))
    expect(a!.hash).not.toBe(b!.hash)
  })
})
