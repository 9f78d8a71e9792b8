import type { Tier } from '../sandbox/tiers/tier.ts'
import type { Judgeable } from './judgeable.ts'
import type { Scenario } from './scenario.ts'
import { decide, type Verdict } from './verdict/decide.ts'

export interface VerifyOptions {
  readonly judgeables: readonly Judgeable[]
  readonly scenarios: readonly Scenario[]
  readonly tier: Tier
  readonly seeds: readonly number[]
  /** Told before each verdict is worked out. */
  readonly trying?: (scenario: Scenario, judgeable: Judgeable) => void
  readonly replay: (scenario: Scenario, judgeable: Judgeable, seed: number, at: string) => string
}

/** Verdicts as they come: every scenario on every inference server. */
export async function* verify(options: VerifyOptions): AsyncGenerator<Verdict> {
  const { judgeables, scenarios, tier, seeds, replay } = options
  for (const judgeable of judgeables) {
    for (const scenario of scenarios) {
      options.trying?.(scenario, judgeable)
      yield await decide({
        scenario: judgeable.withParameters(scenario),
        judgeable,
        tier,
        seeds,
        replay: (seed, at) => replay(scenario, judgeable, seed, at),
      })
    }
  }
}
