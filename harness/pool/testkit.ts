import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { within } from '../expectations/check.ts'
import { judgePlatform } from '../judge-platform.ts'
import { loadPlatform } from '../platform/load.ts'
import { defineScenario, inferenceServer, type Scenario } from '../scenario.ts'

const FOLDER = new URL('../../scenarios/bad-model-config/good/tensor-parallel-8', import.meta.url).pathname

/** A platform with one server that comes up, and the server. */
export const platform = await loadPlatform({ paths: ['.'], cwd: FOLDER })
export const judgeable = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!

/** A scenario in which nothing is done but what is told here. */
export const comesUp = (slug: string, how: Pick<Scenario, 'load' | 'watchFor'>): Scenario =>
  defineScenario({
    slug,
    title: 'comes up',
    decidedBy: 'manifests',
    needs: [inferenceServer()],
    ...how,
    timeline: [],
    during: [],
    after: [within('settle', { check: 'rolloutComplete' })],
  })
