import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Outcome, TrialResult } from '../verdict/verdict.ts'
import { type Ended, pair } from './pair.ts'
import { keepResult, keptResults } from './results.ts'
import { readOf } from './testing/reads.ts'

const ended = (outcome: Outcome, cause?: string): Ended => ({
  tier: 'sim',
  read: readOf({ decisions: [[1, 'x']] }),
  result: {
    outcome,
    scenario: 'node-lost',
    subject: 'default/chat',
    tier: 'sim',
    seed: 1,
    judged: cause
      ? [{ expectation: 'e', held: false, samples: 1, broken: { at: 1, cause, what: '', evidence: [] } }]
      : [],
    invalid: [],
    simulatedUs: 5,
    requests: { sent: 1, ok: 1, failed: 0 },
    journalHash: '',
  } as TrialResult,
})
const paired = (a: Ended, b: Ended) => pair({ scenario: 'node-lost', sample: 'good/x' }, a, b, async () => [])

it.each([
  [ended('PASS'), ended('PASS'), 'same'],
  [ended('PASS'), ended('FAIL', 'c'), 'differs'],
  [ended('FAIL', 'c'), ended('FAIL', 'c'), 'same'],
  [ended('FAIL', 'c'), ended('FAIL', 'd'), 'differs'],
  [ended('PASS'), ended('INVALID'), 'undecided'],
  [ended('SKIPPED'), ended('FAIL', 'c'), 'undecided'],
  [ended('SKIPPED'), ended('SKIPPED'), 'same'],
])('a verdict is the outcome and what a failure is told with (%#)', async (a, b, verdict) => {
  expect((await paired(a, b)).verdict).toBe(verdict)
})

it('is kept whole, one file a sample', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-parity-'))
  try {
    const comparison = await paired(ended('PASS'), ended('PASS'))
    expect(keptResults(join(folder, 'none'))).toEqual([])
    keepResult(folder, comparison)
    expect(keepResult(folder, comparison)).toBe(join(folder, 'node-lost.good.x.json'))
    expect(keptResults(folder)).toEqual([comparison])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
