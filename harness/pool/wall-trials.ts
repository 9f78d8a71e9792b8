import type { Us } from '../../sandbox/world/time.ts'
import type { Judgeable } from '../judgeable.ts'
import { expectedTotalUs } from '../parity/trials.ts'
import type { Scenario } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import type { Attempt } from '../verdict/attempt.ts'
import type { TrialResult } from '../verdict/verdict.ts'

export interface WallTrialsOptions {
  /** Trials at once: each has a control plane of its own. */
  readonly size: number
  /** Milliseconds, to tell how long trials took. */
  readonly now: () => number
}

/** Trials in wall time, side by side in this thread: most of it they wait. They begin in the order in which they were asked for. */
export class WallTrials {
  private readonly options: WallTrialsOptions
  private readonly took = new Map<string, number>()
  private readonly waiting: (() => void)[] = []
  private running = 0

  constructor(options: WallTrialsOptions) {
    this.options = options
  }

  readonly attempt: Attempt = async ({ scenario, judgeable, tier }, seed, overrides): Promise<TrialResult> => {
    await this.turn()
    const startedAt = this.options.now()
    try {
      return await runTrial({ scenario, setup: judgeable.prepare(overrides), tier, seed })
    } finally {
      const key = keyOf(scenario.slug, judgeable.key)
      this.took.set(key, (this.took.get(key) ?? 0) + this.options.now() - startedAt)
      this.running--
      this.waiting.shift()?.()
    }
  }

  /** Milliseconds that a scenario's trials of one inference server took. */
  tookMs(scenario: string, subject: string): number {
    return this.took.get(keyOf(scenario, subject)) ?? 0
  }

  private async turn(): Promise<void> {
    if (this.running >= this.options.size)
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve)
      })
    this.running++
  }
}

const keyOf = (scenario: string, subject: string): string => `${scenario} ${subject}`

/** How many trials there will be, and about how long they take, by what they take simulated. */
export async function expectedOf(
  options: {
    readonly judgeables: readonly Judgeable[]
    readonly scenarios: readonly Scenario[]
    readonly seeds: readonly number[]
    readonly size: number
  },
  simulated: (scenario: Scenario, judgeable: Judgeable) => Promise<TrialResult>,
): Promise<{ readonly trials: number; readonly us: Us }> {
  const { judgeables, scenarios, seeds, size } = options
  const fitting = judgeables.flatMap((judgeable) =>
    scenarios
      .filter((one) => judgeable.unfitFor(one) === undefined && judgeable.blockersFor(one).length === 0)
      .map((scenario) => ({ scenario, judgeable })),
  )
  const results = await Promise.all(fitting.map(({ scenario, judgeable }) => simulated(scenario, judgeable)))
  const lengths = results.flatMap(({ simulatedUs }) => (simulatedUs > 0 ? seeds.map(() => simulatedUs) : []))
  return { trials: lengths.length, us: expectedTotalUs(lengths, size) }
}
