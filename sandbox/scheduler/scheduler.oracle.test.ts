import { expect } from 'vitest'
import { printFigures } from '../../fixtures/oracles/figures.ts'
import { askOracle } from '../../fixtures/oracles/program.ts'
import { oracleSuite } from '../../fixtures/oracles/suite.ts'
import { askedSeed } from '../../fixtures/property-tests/seed.ts'
import type { HintAnswer, SchedulingCase } from './oracle/case.ts'
import { changeCases, storageChangeCases } from './oracle/draw-changes.ts'
import { schedulingCases, storageCases } from './oracle/draw-cluster.ts'
import { preemptionCases } from './oracle/draw-preemption.ts'
import { comparableHints, hear } from './oracle/hear.ts'
import { type Judgement, judge, smallest } from './oracle/judge.ts'
import regressions from './oracle/regressions.json' with { type: 'json' }
import { tableCases } from './oracle/tables.ts'

/** Random cases draw from one seed, unless another is asked for. */
const SEED = askedSeed ?? Math.trunc(performance.timeOrigin) % 2 ** 31
const TIMEOUT_MS = 15 * 60_000

/** Of the real scheduler: what decides where pods go, and who must leave for them. */
const PLUGINS =
  /scheduler\/framework\/plugins\/(imagelocality|interpodaffinity|nodeaffinity|nodename|nodeports|noderesources|nodeunschedulable|podtopologyspread|tainttoleration|schedulinggates)\//
const REACHED = {
  'its plugins for pods and nodes': PLUGINS,
  // without what its own tests are made with, and without scores by capacity, which are off
  'its plugins for volumes':
    /scheduler\/framework\/plugins\/(volume(binding|restrictions|zone)|nodevolumelimits)\/(?!fake_|test_utils|scorer|.*VolumeBinding\.Score)/,
  // without groups of pods, preemption that is not asynchronous, and extenders: the first two are off, the third are refused by name
  preemption:
    /scheduler\/framework\/(plugins\/defaultpreemption|preemption)\/(?!podgroup|types\.go:(?!.*andidate)|.*([pP]odGroup|filterVictimsWithPDB|Executor\.prepareCandidate$|callExtenders))/,
  'a cycle': /scheduler\/schedule_one\.go:.*(schedulePod|findNodes|evaluate|numFeasible|hasScoring)/,
}
const { compare, program } = await oracleSuite('scheduler', REACHED)

/** Prints what came of it, and fails with the first difference made small. */
async function settle(area: string, { cases, asked, differing, differences }: Judgement, allowed = 0): Promise<void> {
  const said = Object.entries(asked).filter(([, count]) => count > 0)
  const share = (question: keyof Judgement['asked'], count: number) =>
    `${question} ${(100 * (1 - differing[question] / count)).toFixed(2)} %`
  const note = said.map(([question, count]) => share(question as keyof Judgement['asked'], count)).join(', ')
  printFigures('scheduler', area, { cases, differ: differences.length, note: `equal: ${note}` })
  const [first] = differences
  if (!first || differences.length <= allowed) return
  const { questions, ours, real } = first
  const small = await smallest(program(), first)
  expect.fail(`seed ${SEED}: they differ in ${questions.join(', ')}. For oracle/regressions.json:
${small}
of a case where ours is ${JSON.stringify(ours)}
and the real one is    ${JSON.stringify(real)}`)
}

compare('decides as before what differed once', { timeout: TIMEOUT_MS }, async () => {
  const cases = regressions.map(({ case: item }) => item as unknown as SchedulingCase)
  await settle('cases that differed once', await judge(program(), cases))
})

compare("places the pods of upstream's own tables", { timeout: TIMEOUT_MS }, async () => {
  const cases = await tableCases(program())
  await settle("rows of upstream's own table tests", await judge(program(), cases))
  expect(cases.length).toBeGreaterThan(200)
})

compare('places pods as the real one does: 10,000 random clusters', { timeout: TIMEOUT_MS }, async () => {
  const judgement = await judge(program(), schedulingCases(SEED, 10_000))
  await settle('random clusters', judgement)
  const { answers } = judgement
  expect(answers.filter(({ scores }) => scores).length).toBeGreaterThan(2_500)
  expect(answers.filter(({ message }) => message).length).toBeGreaterThan(2_500)
})

compare('finds volumes as the real one does: 3,000 clusters', { timeout: TIMEOUT_MS }, async () => {
  const judgement = await judge(program(), storageCases(SEED, 3_000))
  await settle('clusters with volumes', judgement)
  expect(judgement.answers.filter(({ bound }) => bound).length).toBeGreaterThan(100)
})

compare('preempts as the real one does: 2,000 full clusters', { timeout: TIMEOUT_MS }, async () => {
  const judgement = await judge(program(), preemptionCases(SEED, 2_000))
  await settle('full clusters', judgement)
  expect(judgement.answers.filter(({ victims }) => victims?.length).length).toBeGreaterThan(1_000)
})

const hearing = async (area: string, cases: readonly SchedulingCase[]): Promise<void> => {
  const real = await askOracle<HintAnswer>(program(), cases)
  const differing = cases.flatMap((item, i) => {
    const [ours, theirs] = [comparableHints(hear(item)), comparableHints(real[i]!)]
    return ours === theirs ? [] : [{ ours, theirs, item }]
  })
  printFigures('scheduler', area, { cases: cases.length, differ: differing.length })
  expect(differing.slice(0, 1)).toEqual([])
}

compare('hears the changes the real one hears: 3,000 of them', { timeout: TIMEOUT_MS }, () =>
  hearing('changes and who hears them', changeCases(SEED, 3_000)),
)

compare('hears changes of storage as the real one does: 3,000', { timeout: TIMEOUT_MS }, () =>
  hearing('changes of storage and who hears them', storageChangeCases(SEED, 3_000)),
)
