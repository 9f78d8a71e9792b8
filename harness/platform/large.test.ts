import { expect, it } from 'vitest'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { judgePlatform } from '../judge-platform.ts'
import { loadPlatform } from './load.ts'
import { largePlatform } from './testing/large.ts'

const timed = async (objects: number) => {
  const text = largePlatform(objects)
  const before = performance.now()
  const platform = await loadPlatform({ paths: ['-'], stdin: text, cwd: import.meta.dirname })
  const { judgeables } = judgePlatform(platform, { capabilities: sim.capabilities })
  for (const judgeable of judgeables) judgeable.prepare({})
  return { platform, judgeables, tookMs: performance.now() - before }
}

it('ten models among 500 objects are found, and ready to be judged within two seconds', async () => {
  const { platform, judgeables, tookMs } = await timed(500)
  expect(platform.objects).toHaveLength(500)
  expect(judgeables.map(({ key }) => key)).toEqual(Array.from({ length: 10 }, (_, i) => `default/model-${i}`))
  expect(tookMs).toBeLessThan(2000)
})

it('four times the objects take no more than about four times as long', async () => {
  await timed(500)
  const [small, large] = [(await timed(500)).tookMs, (await timed(2000)).tookMs]
  expect(large).toBeLessThan(Math.max(8 * small, 1000))
})
