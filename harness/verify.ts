import type { Tier } from '../sandbox/tiers/tier.ts'
import type { Judgeable } from './judgeable.ts'
import type { Scenario } from './scenario.ts'
import type { Attempt } from './verdict/attempt.ts'
import { decide, type Verdict } from './verdict/decide.ts'

export interface VerifyOptions {
  readonly judgeables: readonly Judgeable[]
  readonly scenarios: readonly Scenario[]
  readonly tier: Tier
  readonly seeds: readonly number[]
  /** Told before each verdict is worked out. */
  readonly trying?: (scenario: Scenario, judgeable: Judgeable) => void
  readonly replay: (scenario: Scenario, judgeable: Judgeable, seed: number, at: string) => string
  /** Runs one trial; in this thread where it is left out. */
  readonly attempt?: Attempt
  /** Runs what a verdict's trials give rise to: see `DecideOptions`. */
  readonly followUp?: Attempt
  /** Verdicts worked on at once; each runs its trials side by side too. Default 1. */
  readonly ahead?: number
}

/** Every scenario on every inference server: verdicts in that order, however many are worked on at once. */
export async function* verify(options: VerifyOptions): AsyncGenerator<Verdict> {
  const { judgeables, scenarios, trying, ahead = 1 } = options
  const tasks = judgeables.flatMap((judgeable) => scenarios.map((scenario) => ({ scenario, judgeable })))
  const underway: Promise<Verdict>[] = []
  for (const [i, task] of tasks.entries()) {
    for (let next = i + underway.length; next < Math.min(tasks.length, i + ahead); next++)
      underway.push(quiet(verdictOn(options, tasks[next]!)))
    trying?.(task.scenario, task.judgeable)
    yield await underway.shift()!
  }
}

interface Task {
  readonly scenario: Scenario
  readonly judgeable: Judgeable
}

function verdictOn(
  { scenarios, tier, seeds, replay, attempt, followUp }: VerifyOptions,
  { scenario, judgeable }: Task,
): Promise<Verdict> {
  return decide({
    scenario: judgeable.withParameters(scenario),
    judgeable,
    tier,
    seeds,
    replay: (seed, at) => replay(scenario, judgeable, seed, at),
    others: scenarios.filter((one) => one !== scenario).map((one) => judgeable.withParameters(one)),
    ...(attempt ? { attempt } : {}),
    ...(followUp ? { followUp } : {}),
  })
}

/** A verdict that fails before its turn is thrown at its turn. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
