import { beforeAll, expect, it } from 'vitest'
import { askOracle, buildOracle, whyNoGo } from '../../../fixtures/oracles/program.ts'
import { type CalcAnswer, calcCases, calculate, comparableAnswer } from './oracle/calc-cases.ts'
import { comparable, replay } from './oracle/replay.ts'
import { type RunAnswer, runCases } from './oracle/run-cases.ts'

const unavailable = await whyNoGo()
if (unavailable) console.log(`skipped: ${unavailable}`)

let program: string
beforeAll(async () => {
  if (!unavailable) program = await buildOracle('hpa')
}, 20 * 60_000)

it.skipIf(unavailable)('works out replicas as Kubernetes does: 20,000 random calls', { timeout: 300_000 }, async () => {
  const cases = calcCases(1, 20_000)
  const real = await askOracle<CalcAnswer>(
    program,
    cases.map((calc) => ({ calc })),
  )
  const differing = cases.flatMap((item, i) => {
    const ours = calculate(item)
    return comparableAnswer(ours) === comparableAnswer(real[i]!) ? [] : [{ item, ours, real: real[i] }]
  })
  expect(differing.slice(0, 2)).toEqual([])
  expect(new Set(real.map(({ error }) => error.replace(/p\d+/, 'p'))).size).toBeGreaterThan(5)
})

it.skipIf(unavailable)('passes as Kubernetes does: 4,000 random runs', { timeout: 300_000 }, async () => {
  const cases = runCases(2, 4_000)
  const real = await askOracle<RunAnswer[]>(
    program,
    cases.map((run) => ({ run })),
  )
  const differing = cases.flatMap((item, i) => {
    const [ours, theirs] = [comparable(replay(item)), comparable(real[i]!)]
    const at = ours.findIndex((pass, n) => JSON.stringify(pass) !== JSON.stringify(theirs[n]))
    return at < 0
      ? []
      : [{ i, at, ours: ours[at], theirs: theirs[at], hpas: item.hpas, steps: item.steps.slice(0, at + 1) }]
  })
  expect(differing.slice(0, 1)).toEqual([])
})
