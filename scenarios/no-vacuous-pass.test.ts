import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { judgePlatform } from '../harness/judge-platform.ts'
import type { Judgeable } from '../harness/judgeable.ts'
import { loadPlatform } from '../harness/platform/load.ts'
import { at, type Scenario } from '../harness/scenario.ts'
import type { Setup } from '../harness/setup.ts'
import { runTrial } from '../harness/trial.ts'
import { decide } from '../harness/verdict/decide.ts'
import type { TrialResult } from '../harness/verdict/verdict.ts'
import { slowWeights } from '../harness/words.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import badModelConfig from './bad-model-config/scenario.ts'
import livenessKillsLoading from './liveness-kills-loading/scenario.ts'
import rolloutOnFullGpus from './rollout-on-full-gpus/scenario.ts'

const GOOD = new URL('./rollout-on-full-gpus/good/surge-and-unavailable', import.meta.url).pathname
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

async function judgeable(extra?: string): Promise<Judgeable> {
  const paths = [GOOD]
  if (extra) {
    const folder = mkdtempSync(join(tmpdir(), 'seatrial-'))
    folders.push(folder)
    writeFileSync(join(folder, 'extra.yaml'), extra)
    paths.push(folder)
  }
  const platform = await loadPlatform({ paths, cwd: '/' })
  return judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!
}

async function sabotaged(scenario: Scenario, change: (setup: Setup) => Setup): Promise<TrialResult> {
  const setup = (await judgeable()).prepare({})
  return runTrial({ scenario, setup: change(setup), tier: sim, seed: 1 })
}

const codes = ({ invalid }: { invalid: readonly { code: string }[] }) => invalid.map((i) => i.code)

describe('a good platform is no PASS when', () => {
  it('nothing is sabotaged: it is one', async () => {
    expect((await sabotaged(rolloutOnFullGpus, (setup) => setup)).outcome).toBe('PASS')
  })

  it.each([badModelConfig, livenessKillsLoading])('the selector matches nothing ($slug)', async (scenario) => {
    const result = await sabotaged(scenario, (setup) => ({
      ...setup,
      subject: { ...setup.subject, selector: { matchLabels: { app: 'nobody' } } },
    }))
    expect(result.outcome).toBe('INVALID')
    expect(codes(result)).toContain('NO_SAMPLES')
  })

  it('no request is sent', async () => {
    const result = await sabotaged(rolloutOnFullGpus, (setup) => ({
      ...setup,
      workload: { ...setup.workload, requestsPerSecond: 0 },
    }))
    expect(result.outcome).toBe('INVALID')
    expect(codes(result)).toContain('NO_LOAD')
  })

  it('a fault is aimed at nothing', async () => {
    const scenario = { ...livenessKillsLoading, timeline: [at('10s', slowWeights({ factor: 2 }))] }
    const result = await sabotaged(scenario, (setup) => setup)
    expect(result.outcome).toBe('INVALID')
    expect(codes(result)).toEqual(['FAULT_INVISIBLE'])
  })

  it.each([
    ['requestsPerSecond', { requestsPerSecond: Number.NaN }],
    ['timeoutUs', { timeoutUs: Number.NaN }],
    ['promptTokens.tokens', { promptTokens: { kind: 'constant' as const, tokens: Number.NaN } }],
  ])('an input is not a number (%s)', async (name, change) => {
    const result = await sabotaged(rolloutOnFullGpus, (setup) => ({
      ...setup,
      workload: { ...setup.workload, ...change },
    }))
    expect(result.outcome).toBe('INVALID')
    expect(codes(result)).toEqual(['NOT_A_NUMBER'])
    expect(result.invalid[0]!.what).toContain(name)
  })

  it.each([
    [
      'HorizontalPodAutoscaler/chat',
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      'spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: chat }, maxReplicas: 9, metrics: [{ type: External, external: { metric: { name: queue }, target: { type: Value, value: "5" } } }] }',
    ],
    [
      'ScaledObject/chat',
      'keda.sh/v1alpha1',
      'ScaledObject',
      'spec: { scaleTargetRef: { name: chat }, triggers: [{ type: kafka, metadata: { topic: a } }] }',
    ],
    [
      'rollouts.argoproj.io/chat',
      'argoproj.io/v1alpha1',
      'Rollout',
      'spec: { workloadRef: { apiVersion: apps/v1, kind: Deployment, name: chat } }',
    ],
  ])(
    'something owns or scales it that has no actor, or looks at what nobody has: %s',
    async (what, apiVersion, kind, spec) => {
      const one = await judgeable(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: chat }\n${spec}\n`)
      const verdict = await decide({
        scenario: rolloutOnFullGpus,
        judgeable: one,
        tier: sim,
        seeds: [1],
        replay: () => '',
      })
      expect(verdict.outcome).toBe('INVALID')
      expect(verdict.invalid[0]).toMatchObject({ code: 'UNMODELLED', what: expect.stringContaining(what) })
    },
  )

  it('the tier lacks the lever a fault needs: SKIPPED, with why', async () => {
    const setup = (await judgeable()).prepare({})
    const scenario = { ...livenessKillsLoading, timeline: [at('start', slowWeights({ factor: 2 }))] }
    const result = await runTrial({ scenario, setup, tier: { ...sim, levers: [] }, seed: 1 })
    expect(result).toMatchObject({ outcome: 'SKIPPED', skipped: 'tier sim has no lever engine.loadFactor' })
  })
})
