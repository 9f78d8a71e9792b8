import { askOracle } from '../../../fixtures/oracles/program.ts'
import { shrink } from '../../../fixtures/oracles/shrink.ts'
import type { SchedulingAnswer, SchedulingCase } from './case.ts'
import { type Decided, decide } from './decide.ts'
import { compare, QUESTIONS, type Question } from './difference.ts'

/** A case on which the two schedulers differ. */
export interface Difference {
  readonly item: SchedulingCase
  readonly questions: readonly Question[]
  readonly real: SchedulingAnswer
  /** Or why there is no decision of ours. */
  readonly ours: Decided | string
}

/** What came of many cases. */
export interface Judgement {
  readonly cases: number
  readonly asked: Readonly<Record<Question, number>>
  readonly differing: Readonly<Record<Question, number>>
  readonly differences: readonly Difference[]
  readonly answers: readonly SchedulingAnswer[]
}

const BATCH = 1_000

/** Asks both schedulers about every case. */
export async function judge(program: string, cases: readonly SchedulingCase[]): Promise<Judgement> {
  const none = () => Object.fromEntries(QUESTIONS.map((question) => [question, 0])) as Record<Question, number>
  const [asked, differing] = [none(), none()]
  const differences: Difference[] = []
  const answers: SchedulingAnswer[] = []
  for (let from = 0; from < cases.length; from += BATCH) {
    const some = cases.slice(from, from + BATCH)
    answers.push(...(await askOracle<SchedulingAnswer>(program, some)))
    for (const [i, item] of some.entries()) {
      const { questions, asked: put, ...rest } = differ(item, answers[from + i]!)
      for (const question of put) asked[question]++
      for (const question of questions) differing[question]++
      if (questions.length > 0) differences.push({ questions, ...rest })
    }
  }
  return { cases: cases.length, asked, differing, differences, answers }
}

function differ(item: SchedulingCase, real: SchedulingAnswer): Difference & { asked: ReadonlySet<Question> } {
  let ours: Decided
  try {
    ours = decide(item)
  } catch (error) {
    const { message } = error as Error
    // both refuse it
    if (real.error) return { item, real, ours: message, questions: [], asked: new Set() }
    return { item, real, ours: message, questions: ['choice'], asked: new Set(['choice']) }
  }
  const { asked, differing } = compare(ours, real)
  return { item, real, ours, questions: [...differing], asked }
}

/** Without these a case would be another one, or none that an API server would store. */
const KEEP = new Set([
  ...[
    'configuration',
    'objects',
    'pod',
    'apiVersion',
    'kind',
    'metadata',
    'name',
    'namespace',
    'uid',
    'spec',
    'status',
  ],
  ...['containers', 'key', 'operator', 'values', 'weight', 'preference', 'podAffinityTerm', 'nodeSelectorTerms'],
  ...['topologyKey', 'maxSkew', 'whenUnsatisfiable', 'effect', 'names', 'sizeBytes', 'allocatable', 'schedulerName'],
  ...['containerPort', 'claimName', 'capacity', 'storage', 'accessModes', 'volumeBindingMode', 'provisioner', 'type'],
])

/** The smallest part of a case on which they still differ in the same way, as JSON to be put into regressions.json. */
export async function smallest(
  program: string,
  { item, questions, real: { error: wasError } }: Difference,
): Promise<string> {
  const fails = async (variants: readonly SchedulingCase[]): Promise<boolean[]> => {
    const answers = await askOracle<SchedulingAnswer>(program, variants).catch(() => undefined)
    return variants.map((variant, i) => {
      const real = answers?.[i]
      if (!real || (real.error && !wasError)) return false
      const left = differ(variant, real).questions
      return questions.some((question) => left.includes(question))
    })
  }
  return JSON.stringify(await shrink(item, { fails, keep: KEEP }))
}
