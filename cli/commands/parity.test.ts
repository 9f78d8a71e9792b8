import { describe, expect, it, vi } from 'vitest'
import type { Comparison } from '../../harness/parity/comparison.ts'
import { UsageError } from '../failure.ts'
import { exitCodeOf, type ParityCommandOptions, parity } from './parity.ts'

const DEFAULTS: ParityCommandOptions = {
  tiers: 'sim,sim',
  samples: 'one',
  seed: '1',
  lag: 'default',
  output: 'terminal',
}
const ONE = new URL('../../scenarios/node-lost/bad/one-replica', import.meta.url).pathname

/** What it prints, and its exit code. */
async function printed(words: readonly string[], options: Partial<ParityCommandOptions>) {
  let text = ''
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  try {
    return { code: await parity(words, { ...DEFAULTS, ...options }), text }
  } finally {
    out.mockRestore()
  }
}

const of = (...verdicts: Comparison['verdict'][]) => verdicts.map((verdict) => ({ verdict }) as Comparison)

it('a verdict that differs fails, one that is missing leaves it undecided', () => {
  expect(exitCodeOf(of('same', 'same'), 0)).toBe(0)
  expect(exitCodeOf(of('same', 'undecided'), 0)).toBe(5)
  expect(exitCodeOf(of('same'), 1)).toBe(5)
  expect(exitCodeOf(of('undecided', 'differs'), 1)).toBe(1)
})

describe('seatrial parity', () => {
  it('compares the shortest good and bad sample, in JSON', async () => {
    const { code, text } = await printed(['node-lost'], { tiers: 'sim,sim:instant', json: true })
    const { schemaVersion, comparisons, failed } = JSON.parse(text) as {
      schemaVersion: number
      comparisons: Comparison[]
      failed: number
    }
    expect([code, schemaVersion, failed]).toEqual([0, 1, 0])
    expect(
      comparisons.map(({ sample, verdict, sides }) => [sample, verdict, ...sides.map(({ tier }) => tier)]),
    ).toEqual([
      ['good/two-nodes', 'same', 'sim', 'sim:instant'],
      ['bad/one-replica', 'same', 'sim', 'sim:instant'],
    ])
    expect(comparisons[0]!.streams.find(({ stream }) => stream === 'placement')!.both).toBeGreaterThan(2)
  }, 60_000)

  it('compares a sample that is named', async () => {
    const { text } = await printed(['node-lost/bad/one-replica', 'node-lost/decoy/nobody'], { json: true }).catch(
      (error: Error) => ({ text: error.message }),
    )
    expect(text).toContain('there is no scenario «node-lost/decoy/nobody»')
    const one = await printed(['node-lost/bad/one-replica'], { json: true })
    const { comparisons } = JSON.parse(one.text) as { comparisons: Comparison[] }
    expect(comparisons.map(({ sample }) => sample)).toEqual(['bad/one-replica'])
  }, 60_000)

  it('takes manifests, and has a table for people', async () => {
    const { code, text } = await printed(['node-lost', ONE], {})
    expect(code).toBe(0)
    expect(text).toContain('FAIL only-replica-disrupted on both')
    expect(text).toMatch(/replicas +3 +0 +0 +\+0\.000 s/)
    expect(text).toContain('verdicts: 1 same · 0 differ · 0 undecided')
  }, 60_000)

  it.each<[string[], Partial<ParityCommandOptions>, number, RegExp]>([
    [['nde-lost'], {}, 2, /there is no scenario/],
    [[], { tiers: 'sim' }, 2, /two tiers are compared/],
    [[], { tiers: 'sim,moon' }, 2, /there is no tier «moon»/],
    [[], { tiers: 'sim,sim:slow' }, 2, /no lag profile «slow»/],
    [[], { lag: 'slow' }, 2, /no lag profile «slow»/],
    [[], { jobs: 'many' }, 2, /--jobs/],
    [['node-lost'], { missing: true }, 2, /--missing goes with --keep/],
    [['cold-start-from-zero', ONE], {}, 4, /no scenario is left/],
  ])('%j %j exits with %i', async (words, options, code, what) => {
    const error = await parity(words, { ...DEFAULTS, ...options }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect([(error as UsageError).exitCode, (error as UsageError).message]).toEqual([code, expect.stringMatching(what)])
  })
})
