import { describe, expect, it } from 'vitest'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { always, type Expectation, within } from '../expectations/check.ts'
import { judgePlatform } from '../judge-platform.ts'
import type { LoadPlan } from '../load/plan.ts'
import { loadPlatform } from '../platform/load.ts'
import { defineScenario, inferenceServer } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import { sloHeld, sloRecovered } from '../words.ts'

const GOOD = new URL('../../scenarios/rollout-on-full-gpus/good/surge-and-unavailable', import.meta.url).pathname
const platform = await loadPlatform({ paths: [GOOD], cwd: '/' })
const judgeable = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!

/** Long ones, so that few make a load. */
const LENGTHS = {
  promptTokens: { kind: 'constant', tokens: 6000 },
  outputTokens: { kind: 'constant', tokens: 500 },
} as const

const trial = (load: LoadPlan, expectations: { during?: Expectation[]; after?: Expectation[] }, watchFor = '3m') =>
  runTrial({
    scenario: defineScenario({
      slug: 'slo',
      title: 'SLOs under load',
      decidedBy: 'manifests',
      needs: [inferenceServer()],
      load: { ...LENGTHS, ...load },
      timeline: [],
      during: expectations.during ?? [],
      after: expectations.after ?? [],
      watchFor,
    }),
    setup: judgeable.prepare({}),
    tier: sim,
    seed: 1,
  })

describe('a trial under load', () => {
  it('holds its SLOs at half its capacity, and says what it cost', async () => {
    const result = await trial(
      { base: { ofCapacity: 0.5 } },
      { during: [always(sloHeld({ objective: 'all' })), always(sloHeld({ objective: 'ttft' }))] },
    )
    expect(result.judged.map(({ broken }) => broken?.what)).toEqual([undefined, undefined])
    expect(result.outcome).toBe('PASS')
    expect(result.judged[1]!.summary).toMatch(/TTFT p95 ≤ 2s.*: at worst TTFT p95 was .* of \d+ requests over 2/)
    expect(result.cost!.perThousandTokens).toBeGreaterThan(0)
    expect(result.cost!.gpuHours.subject).toBeLessThanOrEqual(result.cost!.gpuHours.existing)
  })

  it('breaks them at twice its capacity, and shows the window and its requests', async () => {
    const result = await trial({ base: { ofCapacity: 2 } }, { during: [always(sloHeld({ objective: 'ttft' }))] }, '2m')
    expect(result.outcome).toBe('FAIL')
    const broken = result.judged[0]!.broken!
    expect(broken.cause).toBe('slo-ttft')
    expect(broken.what).toMatch(/TTFT p95 .* from \d/)
    expect(broken.evidence.slice(1).every(({ about }) => about.startsWith('request r'))).toBe(true)
  })

  it('is back after a spike, not while it lasts', async () => {
    const load: LoadPlan = { base: { ofCapacity: 0.5 }, steps: [{ at: '1m', times: 4, for: '30s' }] }
    const result = await trial(load, {
      during: [always(sloHeld({ objective: 'ttft' }))],
    })
    expect(result.outcome).toBe('FAIL')
    const again = await trial(load, { after: [within('15m', sloRecovered({ objective: 'ttft' }))] })
    expect(again.judged[0]!.broken?.what).toBeUndefined()
    expect(again.outcome).toBe('PASS')
    const late = await trial(load, { after: [within('1m2s', sloRecovered({ objective: 'ttft' }))] })
    expect(late.outcome).toBe('FAIL')
    expect(late.judged[0]!.broken?.what).toMatch(/is not met again.*\(reached [\dms]+ too late\)$/)
    const never = await trial(
      { base: { ofCapacity: 2 } },
      { after: [within('4m', sloRecovered({ objective: 'ttft' }))] },
      '1s',
    )
    expect(never.outcome).toBe('FAIL')
    expect(never.judged[0]!.broken).toMatchObject({
      cause: 'slo-ttft',
      what: expect.stringContaining('is not met again'),
    })
  })

  it('with another tenant’s burst is judged for each by itself', async () => {
    const load: LoadPlan = {
      base: { ofCapacity: 0.3 },
      tenants: [
        { name: 'steady', share: 0.8 },
        { name: 'bursting', share: 0.2 },
      ],
      steps: [{ at: '1m', times: 20, tenant: 'bursting' }],
    }
    const result = await trial(load, { during: [always(sloHeld({ objective: 'ttft', of: { except: 1 } }))] }, '3m')
    expect(result.judged[0]!.broken!.what).toMatch(/^steady: TTFT p95/)
  })

  it('that judges what nobody promised is INVALID, not PASS', async () => {
    const result = await trial({ base: 'given' }, { during: [always(sloHeld({ objective: 'e2e' }))] })
    expect(result.outcome).toBe('INVALID')
    expect(result.invalid.map(({ code }) => code)).toContain('NO_SAMPLES')
  })
})
