import { expect } from 'vitest'
import { printFigures } from '../../../fixtures/oracles/figures.ts'
import { askOracle, sourcesOf } from '../../../fixtures/oracles/program.ts'
import { oracleSuite } from '../../../fixtures/oracles/suite.ts'
import type { Answer, Case } from './oracle/case.ts'
import { compare, type Outcome } from './oracle/compare.ts'
import { ourAnswers } from './oracle/ours.ts'
import { damagedCases, randomCases } from './oracle/random-cases.ts'
import { upstreamCases } from './oracle/upstream-cases.ts'

const REACHED = {
  'promql/parser: the whole package': /promql\/parser\//,
  'promql/engine.go: evaluation of instant queries, subqueries, binary operators, aggregations': /promql\/engine\.go:/,
  'promql/functions.go: all functions': /promql\/functions\.go:/,
  'promql/functions.go: extrapolatedRate, instantValue': /functions\.go:(extrapolatedRate|instantValue)$/,
}
const { compare: check, program } = await oracleSuite('promql', REACHED)

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

async function compareAll(cases: readonly Case[]): Promise<Comparison> {
  const counts: Record<Outcome, number> = { equal: 0, rounding: 0, refused: 0, different: 0 }
  const [differences, disagreements]: [string[], string[]] = [[], []]
  let [errors, results] = [0, 0]
  const answers = await askOracle<Answer[]>(
    program(),
    cases.map(({ series, queries }) => ({ series, queries })),
  )
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
  printFigures('promql', what, {
    cases: counts.equal + counts.rounding + counts.refused + counts.different,
    differ: counts.different,
    note: `${counts.rounding} within 1e-9; ${counts.refused} of a kind refused by name; ${results} with values, ${errors} errors`,
  })

check(
  'Prometheus’ own tests are answered as Prometheus answers them, or refused by name',
  { timeout: 300_000 },
  async () => {
    const comparison = await compareAll(upstreamCases(await sourcesOf('github.com/prometheus/prometheus')))
    report('expressions of its own tests', comparison)
    expect(comparison.differences).toEqual([])
    expect(comparison.counts.equal).toBeGreaterThan(2000)
  },
)

check(
  '20,000 random expressions over random series are answered as Prometheus answers them',
  { timeout: 300_000 },
  async () => {
    const comparison = await compareAll([...randomCases(1, 1000, 20)])
    report('random expressions', comparison)
    expect(comparison.differences).toEqual([])
    expect(comparison.counts.refused).toBe(0)
    expect(comparison.results).toBeGreaterThan(10_000)
  },
)

check(
  'damaged expressions are refused exactly where Prometheus refuses them, nearly always in its words',
  { timeout: 300_000 },
  async () => {
    const comparison = await compareAll([...damagedCases(1, 500, 20)])
    report('damaged expressions, with the text of the error', comparison)
    expect(comparison.disagreements).toEqual([])
    expect(comparison.differences.length).toBeLessThan(100)
  },
)
