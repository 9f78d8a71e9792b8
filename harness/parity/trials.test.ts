import { expect, it } from 'vitest'
import { defaultProfile, instant } from '../../sandbox/kube/lag.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { seconds } from '../../sandbox/world/time.ts'
import type { Scenario } from '../scenario.ts'
import {
  compareCases,
  expectedTotalUs,
  type ParityCase,
  type ParitySide,
  type Prepared,
  prepareCase,
} from './trials.ts'

const virtual: ParitySide = { label: 'sim', tier: sim, lag: defaultProfile, virtual: true }
const broken: ParitySide = {
  label: 'broken',
  tier: { ...sim, up: () => Promise.reject(new Error('no room')) },
  lag: instant,
  virtual: false,
}

/** A case whose server can be tried only as far as its tier comes. */
const caseOf = (slug: string): ParityCase => ({
  scenario: { slug } as Scenario,
  sample: 'good/x',
  on: () => ({ withParameters: (scenario: Scenario) => scenario, blockersFor: () => [], prepare: () => ({}) }) as never,
})

it('says how long trials take side by side', () => {
  const lengths = [4, 1, 3, 2].map(seconds)
  expect(expectedTotalUs(lengths, 1)).toBe(seconds(10))
  expect(expectedTotalUs(lengths, 2)).toBe(seconds(5))
  expect(expectedTotalUs(lengths, 9)).toBe(seconds(4))
  expect(expectedTotalUs([], 2)).toBe(0)
})

it('a trial that breaks down fails alone, the longest begin first and never more than asked for', async () => {
  const began: string[] = []
  let [running, most] = [0, 0]
  const events = {
    began: (of: ParityCase) => {
      began.push(of.scenario.slug)
      most = Math.max(most, ++running)
    },
    ended: () => void running--,
  }
  const prepared = [1, 5, 3].map(
    (length): Prepared => ({ of: caseOf(`of-${length}`), ended: [], expectedUs: seconds(length) }),
  )
  const options = { sides: [broken, broken] as const, seed: 1, seedsOfChance: 0, jobs: 2, events }
  const errors: string[] = []
  for await (const result of compareCases(prepared, options)) if ('error' in result) errors.push(result.error.tier)
  expect(began).toEqual(['of-5', 'of-3', 'of-1'])
  expect(errors).toEqual(['broken', 'broken', 'broken'])
  expect(most).toBe(2)
})

it('nothing in wall time is begun while quick trials run', async () => {
  const blocked: ParityCase = {
    ...caseOf('of-1'),
    on: () =>
      ({
        withParameters: (scenario: Scenario) => scenario,
        blockersFor: () => [{ code: 'UNMODELLED', what: 'w', fix: 'f' }],
        prepare: () => ({ subject: { key: 'default/chat' }, inputs: {} }),
      }) as never,
  }
  const { ended } = await prepareCase(blocked, { sides: [virtual, broken], seed: 1, seedsOfChance: 2, jobs: 1 })
  expect(ended.map((one) => one?.result.outcome)).toEqual(['INVALID', undefined])
})
