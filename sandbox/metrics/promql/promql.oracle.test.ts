import { afterAll, expect, test } from 'vitest'
import type { Answer, Case } from './oracle/case.ts'
import { compare, type Outcome } from './oracle/compare.ts'
import { ourAnswers } from './oracle/ours.ts'
import { damagedCases, randomCases } from './oracle/random-cases.ts'
import { buildRealEngine, type RealEngine, whyNoRealEngine } from './oracle/real.ts'
import { upstreamCases } from './oracle/upstream-cases.ts'

const unavailable = whyNoRealEngine()
if (unavailable) console.log(`skipped: ${unavailable}`)

let engine: RealEngine | undefined
const real = (): RealEngine => {
  engine ??= buildRealEngine()
  return engine
}
afterAll(() => engine?.close())

/** What this engine does otherwise on purpose, or cannot do, with why. */
const KNOWN: readonly (readonly [expr: RegExp, why: string])[] = [
  [
    /\\x[c-f]\w/,
    'bytes that are no UTF-8 cannot be told apart in JavaScript’s strings, so a message prints them otherwise',
  ],
]

interface Comparison {
  readonly counts: Record<Outcome, number>
  /** Answers that were errors, and that had at least one value. */
  readonly errors: number
  readonly results: number
  readonly differences: string[]
  /** One of the two took an expression that the other refused. */
  readonly disagreements: string[]
}

function compareAll(cases: readonly Case[]): Comparison {
  const counts: Record<Outcome, number> = { equal: 0, rounding: 0, refused: 0, different: 0 }
  const [differences, disagreements]: [string[], string[]] = [[], []]
  let [errors, results] = [0, 0]
  const answers = real().answer(cases)
  for (const [i, item] of cases.entries()) {
    for (const [j, ours] of ourAnswers(item).entries()) {
      const { expr, time } = item.queries[j]!
      const theirs: Answer = answers[i]![j]!
      if (KNOWN.some(([known]) => known.test(expr))) continue
      const outcome = compare(expr, ours, theirs)
      counts[outcome]++
      if (theirs.error !== undefined) errors++
      else if (theirs.value !== undefined || theirs.samples?.length) results++
      const line = `${item.name} at ${time}: ${expr}\n  ours ${JSON.stringify(ours)}\n  real ${JSON.stringify(theirs)}`
      if (outcome === 'different') differences.push(line)
      if (outcome === 'different' && (ours.error === undefined) !== (theirs.error === undefined))
        disagreements.push(line)
    }
  }
  return { counts, errors, results, differences, disagreements }
}

const report = (what: string, { counts, errors, results }: Comparison) =>
  console.log(`${what}: ${JSON.stringify(counts)}; ${results} with values, ${errors} errors`)

test.runIf(!unavailable)('Prometheus’ own tests are answered as Prometheus answers them, or refused by name', () => {
  const comparison = compareAll(upstreamCases(real().sources))
  report('promqltest/testdata', comparison)
  expect(comparison.differences).toEqual([])
  expect(comparison.counts.equal).toBeGreaterThan(2000)
})

test.runIf(!unavailable)('20,000 random expressions over random series are answered as Prometheus answers them', () => {
  const comparison = compareAll([...randomCases(1, 1000, 20)])
  report('random', comparison)
  expect(comparison.differences).toEqual([])
  expect(comparison.counts.refused).toBe(0)
  expect(comparison.results).toBeGreaterThan(10_000)
})

test.runIf(!unavailable)(
  'damaged expressions are refused exactly where Prometheus refuses them, nearly always in its words',
  () => {
    const comparison = compareAll([...damagedCases(1, 500, 20)])
    report('damaged', comparison)
    expect(comparison.disagreements).toEqual([])
    expect(comparison.differences.length).toBeLessThan(100)
  },
)
