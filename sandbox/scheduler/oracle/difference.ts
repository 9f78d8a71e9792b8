import { canonical } from '../../journal/record.ts'
import type { NodeStatus, SchedulingAnswer } from './case.ts'
import type { Decided, Ending } from './decide.ts'

/** What two schedulers may disagree on. */
export const QUESTIONS = [
  'feasible',
  'reasons',
  'scores',
  'choice',
  'volumes',
  'plugins',
  'candidates',
  'ending',
] as const
export type Question = (typeof QUESTIONS)[number]

/** What is asked of a case and how often the two agreed. */
export interface Comparison {
  readonly asked: ReadonlySet<Question>
  readonly differing: ReadonlySet<Question>
}

/** Compares what our scheduler may do with what the real one did. */
export function compare(ours: Decided, real: SchedulingAnswer): Comparison {
  const pairs = questions(ours, real)
  const asked = new Set(QUESTIONS.filter((question) => pairs[question]))
  return { asked, differing: new Set([...asked].filter((question) => !pairs[question]!())) }
}

/** Plugins that are not modelled and have nothing to say of pods that ask nothing of them: their scores must be 0. */
const SILENT: ReadonlySet<string> = new Set(['DynamicResources'])

function questions(ours: Decided, real: SchedulingAnswer): Partial<Record<Question, () => boolean>> {
  if (real.error) return { choice: () => ours.error === real.error }
  const same = (a: unknown, b: unknown) => canonical(a ?? null) === canonical(b ?? null)
  const statuses = real.statuses ?? {}
  return {
    feasible: () => same(Object.keys(ours.statuses).sort(), Object.keys(statuses).sort()),
    reasons: () => same(mapped(ours.statuses, worded), mapped(statuses, worded)),
    ...(real.scores ? { scores: () => same(ours.scores, mapped(real.scores!, spoken)) } : {}),
    ...(real.choice
      ? {
          choice: () => ours.choices.includes(real.choice!),
          ...(ours.mounts ? { volumes: () => same(ours.boundOn(real.choice!), real.bound ?? []) } : {}),
        }
      : {}),
    ...(real.message
      ? {
          plugins: () => same(ours.plugins, real.plugins ?? []),
          candidates: () => same(ours.candidates, real.candidates ?? []),
          ending: () => ours.endings.some((ending) => same(ending, endingOf(real))),
        }
      : {}),
  }
}

const endingOf = ({ message, nominated, victims = [], cleared = [] }: SchedulingAnswer): Ending => ({
  ...{ message, victims, cleared },
  ...(nominated === undefined ? {} : { nominated }),
})

/** What is lacking of several extended resources is said in any order: upstream goes through a map of them. */
const worded = ({ code, plugin, reasons }: NodeStatus) => ({ code, plugin, reasons: [...(reasons ?? [])].sort() })

const spoken = (scores: Record<string, number>) =>
  Object.fromEntries(Object.entries(scores).filter(([plugin, score]) => score !== 0 || !SILENT.has(plugin)))

const mapped = <A, B>(record: Record<string, A>, fn: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fn(value)]))
