import { it as always, beforeAll, expect } from 'vitest'
import { defaultProfile } from '../../sandbox/kube/lag.ts'
import { whyUnavailable } from '../../sandbox/tiers/control-plane/binaries.ts'
import { local } from '../../sandbox/tiers/local/local.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { judgePlatform } from '../judge-platform.ts'
import type { Platform } from '../platform/platform.ts'
import { quickPlatform, quickRollout } from '../platform/testing/quick-rollout.ts'
import type { Comparison } from './comparison.ts'
import { compareCases, type ParityCase, type ParityOptions, type ParitySide, prepareCase } from './trials.ts'

const it = always.skipIf(await whyUnavailable())

const simulated: ParitySide = { label: 'sim', tier: sim, lag: defaultProfile, virtual: true }
const real: ParitySide = { label: 'local', tier: local, lag: defaultProfile, virtual: false }
const options: ParityOptions = { sides: [simulated, real], seed: 1, seedsOfChance: 0, jobs: 2 }

let [fits, doesNotFit]: Platform[] = []

beforeAll(async () => {
  fits = await quickPlatform(0)
  doesNotFit = await quickPlatform(1)
})

const caseOf = (sample: string, platformOf: (side: ParitySide) => Platform): ParityCase => ({
  scenario: quickRollout,
  sample,
  on: (side) => judgePlatform(platformOf(side), { capabilities: side.tier.capabilities, lag: side.lag }).judgeables[0]!,
})

/** Compares the same platform, and two that are not; in one wall time. */
async function compared(): Promise<ReadonlyMap<string, Comparison>> {
  const cases = [caseOf('same', () => fits!), caseOf('other', (side) => (side === real ? fits! : doesNotFit!))]
  const prepared = await Promise.all(cases.map((of) => prepareCase(of, options)))
  const found = new Map<string, Comparison>()
  for await (const result of compareCases(prepared, options)) {
    if ('error' in result) throw result.error.cause
    found.set(result.of.sample, result.comparison)
  }
  return found
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

it('the real control plane decides as the simulated one, each decision within its period; another platform is told apart', async () => {
  let found = await compared()
  const isBusy = [...found.values()].some(
    ({ verdict, differences }) => verdict === 'undecided' || (verdict === 'same' && differences.length > 0),
  )
  // once more where the machine did something else meanwhile
  if (isBusy) found = await compared()
  const same = found.get('same')!
  expect(same.sides.map(({ outcome, invalid }) => [outcome, ...invalid])).toEqual([['PASS'], ['PASS']])
  expect(same.verdict).toBe('same')
  const both = Object.fromEntries(same.streams.map((one) => [one.stream, one.both]))
  for (const stream of ['placement', 'replicas', 'rollouts', 'faults']) expect(both[stream]).toBeGreaterThan(0)
  expect(same.differences).toEqual([])
  const other = found.get('other')!
  expect(other.sides.map(({ outcome }) => outcome)).toEqual(['FAIL', 'PASS'])
  expect(other.verdict).toBe('differs')
  expect(sum(other.streams.map(({ onlyA, onlyB }) => onlyA + onlyB))).toBeGreaterThan(0)
}, 240_000)
