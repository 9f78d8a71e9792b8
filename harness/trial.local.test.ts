import { it as always, expect } from 'vitest'
import { whyUnavailable } from '../sandbox/tiers/control-plane/binaries.ts'
import { local } from '../sandbox/tiers/local/local.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import type { Tier } from '../sandbox/tiers/tier.ts'
import { judgePlatform } from './judge-platform.ts'
import { quickPlatform, quickRollout } from './platform/testing/quick-rollout.ts'
import { runTrial } from './trial.ts'
import { brokenIn } from './verdict/verdict.ts'

const it = always.skipIf(await whyUnavailable())

/** Once more where the machine did something else meanwhile. */
async function trialOn(tier: Tier, maxSurge: 0 | 1) {
  const { capabilities } = tier
  const judgeable = judgePlatform(await quickPlatform(maxSurge), { capabilities }).judgeables[0]!
  const spec = { scenario: quickRollout, setup: judgeable.prepare({}), tier, seed: 1 }
  const result = await runTrial(spec)
  return result.invalid.some(({ code }) => code === 'MACHINE_TOO_SLOW') ? await runTrial(spec) : result
}

it('a trial comes to the same under the real control plane as simulated', async () => {
  const [surges, makesRoom] = await Promise.all([trialOn(local, 1), trialOn(local, 0)])
  expect(brokenIn(makesRoom)).toEqual([])
  expect(makesRoom).toMatchObject({ invalid: [], outcome: 'PASS' })
  expect(surges).toMatchObject({ invalid: [], outcome: 'FAIL' })
  const simulated = await trialOn(sim, 1)
  expect(simulated.outcome).toBe('FAIL')
  expect(brokenIn(surges)[0]!.cause).toBe(brokenIn(simulated)[0]!.cause)
  expect(makesRoom.requests.ok).toBeGreaterThan(0)
  // times count from the begin of the trial
  expect(brokenIn(surges)[0]!.at).toBeLessThan(makesRoom.simulatedUs * 4)
}, 300_000)
