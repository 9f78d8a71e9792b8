import { rmSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { judgePlatform } from '../judge-platform.ts'
import type { Overrides } from '../judgeable.ts'
import { loadPlatform } from '../platform/load.ts'
import { folderWith } from '../platform/testing/folder.ts'
import type { Candidate } from '../remedies/remedy.ts'
import type { Scenario } from '../scenario.ts'
import { tryFixes } from './fixes.ts'
import type { Outcome, TrialResult } from './verdict.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const SERVER = `apiVersion: apps/v1
kind: Deployment
metadata: { name: chat }
spec:
  replicas: 2
  selector: { matchLabels: { app: chat } }
  template:
    metadata: { labels: { app: chat } }
    spec:
      containers: [{ name: vllm, image: 'vllm/vllm-openai:v0.11.0', args: [--model=meta-llama/Llama-3.1-8B-Instruct], resources: { limits: { nvidia.com/gpu: 1 } } }]
`

const budget = (spec: unknown): Candidate => ({
  says: 'a budget',
  adds: {
    name: 'chat-budget',
    objects: [{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'chat' }, spec }],
  },
})
const GOOD = budget({ maxUnavailable: 1, selector: { matchLabels: { app: 'chat' } } })

const scenario = (slug: string): Scenario => ({
  slug,
  title: '',
  decidedBy: 'manifests',
  needs: [],
  load: false,
  timeline: [],
  during: [],
  after: [],
  watchFor: '1s',
})

interface Tried {
  readonly slug: string
  readonly seed: number
  readonly overrides: Overrides
}

/** `outcomes`: what a scenario comes out as, without and with the fix. */
async function fixesOf(
  candidates: readonly Candidate[],
  outcomes: Readonly<Record<string, readonly [Outcome, Outcome]>>,
  more = '',
) {
  const cwd = folderWith({ 'deploy/chat.yaml': SERVER + more })
  folders.push(cwd)
  const platform = await loadPlatform({ paths: ['.'], cwd })
  const judgeable = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!
  const tried: Tried[] = []
  const result = await tryFixes(
    {
      scenario: scenario('own'),
      others: Object.keys(outcomes).flatMap((slug) => (slug === 'own' ? [] : [scenario(slug)])),
      judgeable,
      tier: sim,
      seeds: [1, 2],
      replay: () => '',
      attempt: async (what, seed, overrides) => {
        tried.push({ slug: what.scenario.slug, seed, overrides })
        const [before, after] = outcomes[what.scenario.slug]!
        return { outcome: overrides.adds ? after : before } as TrialResult
      },
    },
    { seed: 2 } as TrialResult,
    candidates,
  )
  return { ...result, tried: tried.map(({ slug, seed }) => `${slug} ${seed}`) }
}

describe('a fix that adds objects', () => {
  it('is run on every seed, names the file beside the manifest, and says what else was run', async () => {
    const { fix, tried } = await fixesOf([GOOD], { own: ['FAIL', 'PASS'], other: ['PASS', 'PASS'] })
    expect(fix).toMatchObject({
      adds: [{ file: 'deploy/chat-budget.yaml', objects: ['PodDisruptionBudget/chat'] }],
      alsoRun: ['other'],
    })
    expect(fix!.adds![0]!.text).toContain('maxUnavailable: 1\n')
    expect(tried).toEqual(['own 2', 'own 1', 'other 1'])
  })

  it.each([
    [['PASS', 'FAIL'], false],
    [['PASS', 'INVALID'], false],
    [['FAIL', 'FAIL'], true],
    [['FAIL', 'PASS'], true],
    [['SKIPPED', 'FAIL'], false],
  ] as const)('another scenario %j: given is %s', async (other, given) => {
    const { fix, triedInVain } = await fixesOf([GOOD], { own: ['FAIL', 'PASS'], other })
    expect(fix !== undefined).toBe(given)
    expect(triedInVain).toEqual(given ? [] : ['a budget, which does not pass other'])
  })

  it('is none, and nothing is run, where the API server would refuse it', async () => {
    const both = budget({ maxUnavailable: 1, minAvailable: 1, selector: {} })
    expect(await fixesOf([both], { own: ['FAIL', 'PASS'] })).toEqual({ triedInVain: ['a budget'], tried: [] })
    const unknown = budget({ maxUnavailable: 1, selectors: {} })
    expect(await fixesOf([unknown], { own: ['FAIL', 'PASS'] })).toEqual({ triedInVain: ['a budget'], tried: [] })
  })

  it('is none where an object of that name is there', async () => {
    const there =
      '---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: chat }\nspec: { selector: {} }\n'
    expect((await fixesOf([GOOD], { own: ['FAIL', 'PASS'] }, there)).fix).toBeUndefined()
  })
})
