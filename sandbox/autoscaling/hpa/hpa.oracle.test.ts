import { expect } from 'vitest'
import { printFigures } from '../../../fixtures/oracles/figures.ts'
import { askOracle } from '../../../fixtures/oracles/program.ts'
import { oracleSuite } from '../../../fixtures/oracles/suite.ts'
import { type CalcAnswer, calcCases, calculate, comparableAnswer } from './oracle/calc-cases.ts'
import { comparable, replay } from './oracle/replay.ts'
import { type RunAnswer, runCases } from './oracle/run-cases.ts'

const REACHED = {
  'podautoscaler/replica_calculator.go': /podautoscaler\/replica_calculator\.go:/,
  'podautoscaler/horizontal.go: a pass over an HPA': /podautoscaler\/horizontal\.go:/,
  'podautoscaler/horizontal.go: behavior, stabilization':
    /horizontal\.go:.*(normalize|stabilize|convertDesired|calculateScale|get(Unableto|Desired)|Behavior|Stabiliz)/i,
}
const { compare, program } = await oracleSuite('hpa', REACHED)

compare('works out replicas as Kubernetes does: 20,000 random calls', { timeout: 300_000 }, async () => {
  const cases = calcCases(1, 20_000)
  const real = await askOracle<CalcAnswer>(
    program(),
    cases.map((calc) => ({ calc })),
  )
  const differing = cases.flatMap((item, i) => {
    const ours = calculate(item)
    return comparableAnswer(ours) === comparableAnswer(real[i]!) ? [] : [{ item, ours, real: real[i] }]
  })
  printFigures('hpa', 'replica calculator: replicas, utilization, errors', {
    cases: cases.length,
    differ: differing.length,
  })
  expect(differing.slice(0, 2)).toEqual([])
  expect(new Set(real.map(({ error }) => error.replace(/p\d+/, 'p'))).size).toBeGreaterThan(5)
})

compare('passes as Kubernetes does: 4,000 random runs', { timeout: 300_000 }, async () => {
  const cases = runCases(2, 4_000)
  const real = await askOracle<RunAnswer[]>(
    program(),
    cases.map((run) => ({ run })),
  )
  const differing = cases.flatMap((item, i) => {
    const [ours, theirs] = [comparable(replay(item)), comparable(real[i]!)]
    const at = ours.findIndex((pass, n) => JSON.stringify(pass) !== JSON.stringify(theirs[n]))
    return at < 0
      ? []
      : [{ i, at, ours: ours[at], theirs: theirs[at], hpas: item.hpas, steps: item.steps.slice(0, at + 1) }]
  })
  printFigures('hpa', 'controller: replicas, status, conditions, events of runs', {
    cases: cases.length,
    differ: differing.length,
    note: `${cases.flatMap(({ steps }) => steps).length} passes`,
  })
  expect(differing.slice(0, 1)).toEqual([])
})
