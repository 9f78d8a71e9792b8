import { expect, it } from 'vitest'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { within } from '../expectations/check.ts'
import { judgePlatform } from '../judge-platform.ts'
import { loadPlatform } from '../platform/load.ts'
import { defineScenario, inferenceServer } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import { newImage, rolloutComplete } from '../words.ts'
import type { Attempt } from './attempt.ts'
import { decide } from './decide.ts'
import type { TrialResult } from './verdict.ts'

const FOLDER = new URL('../../scenarios/rollout-on-full-gpus/bad/surge-without-room', import.meta.url).pathname
const platform = await loadPlatform({ paths: ['.'], cwd: FOLDER })
const judgeable = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!
const scenario = defineScenario({
  slug: 'rollout',
  title: 'A rollout',
  decidedBy: 'manifests',
  needs: [inferenceServer()],
  load: false,
  timeline: [{ at: '1m', do: newImage() }],
  during: [],
  after: [within('progressDeadline', rolloutComplete())],
  watchFor: '10s',
})

/** Decides with trials that really run; `said`: what the follow-up says of the trial as it is. */
async function decided(said?: 'PASS') {
  const asked: { of: 'trial' | 'follow-up'; changed: boolean }[] = []
  const attempt =
    (of: 'trial' | 'follow-up'): Attempt =>
    async (what, seed, overrides): Promise<TrialResult> => {
      const changed = Object.keys(overrides).length > 0
      asked.push({ of, changed })
      const result = await runTrial({ ...what, setup: what.judgeable.prepare(overrides), seed })
      return of === 'follow-up' && !changed && said ? { ...result, outcome: said } : result
    }
  const options = { scenario, judgeable, tier: sim, seeds: [1], replay: () => '' }
  const verdict = await decide({ ...options, attempt: attempt('trial'), followUp: attempt('follow-up') })
  return { verdict, asked }
}

it('trials of the seeds run where they are asked for, and fixes where it is quick', async () => {
  const { verdict, asked } = await decided()
  expect(verdict).toMatchObject({ outcome: 'FAIL', finding: { fix: { outcome: 'PASS' } } })
  expect(verdict.otherwise).toBeUndefined()
  expect(asked.filter(({ of }) => of === 'trial')).toEqual([{ of: 'trial', changed: false }])
  expect(asked.some(({ of, changed }) => of === 'follow-up' && changed)).toBe(true)
})

it('where it is quick but says otherwise, nothing is tried, and the verdict says so', async () => {
  const { verdict, asked } = await decided('PASS')
  expect(verdict).toMatchObject({ outcome: 'FAIL', otherwise: 'PASS', finding: { cause: expect.any(String) } })
  expect(verdict.finding!.fix).toBeUndefined()
  expect(asked).toEqual([
    { of: 'trial', changed: false },
    { of: 'follow-up', changed: false },
  ])
})
