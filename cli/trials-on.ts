import type { Judgeable } from '../harness/judgeable.ts'
import type { TrialPool } from '../harness/pool/pool.ts'
import { expectedOf, WallTrials } from '../harness/pool/wall-trials.ts'
import type { Scenario } from '../harness/scenario.ts'
import type { Attempt } from '../harness/verdict/attempt.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import type { Tier } from '../sandbox/tiers/tier.ts'
import { formatDuration } from '../sandbox/world/time.ts'
import { plural } from './plural.ts'

export interface TrialsOptions {
  readonly tier: Tier
  /** Runs simulated trials. */
  readonly pool: TrialPool
  readonly judgeables: readonly Judgeable[]
  readonly scenarios: readonly Scenario[]
  readonly seeds: readonly number[]
  /** Trials at once. */
  readonly jobs: number
  readonly say: (line: string) => void
}

/** How the trials of a verification are run. */
export interface Trials {
  readonly attempt: Attempt
  readonly followUp?: Attempt
  tookMs(scenario: string, subject: string): number
}

/**
 * Simulated trials go to the pool. Those of another tier run in wall time, and it is said before how long they will take about; what they
 * give rise to is tried simulated.
 */
export async function trialsOn(options: TrialsOptions): Promise<Trials> {
  const { tier, pool, jobs: size, say, seeds } = options
  if (tier.name === sim.name) return { attempt: pool.attempt, tookMs: (...of) => pool.tookMs(...of) }
  const followUp: Attempt = (what, seed, overrides) => pool.attempt({ ...what, tier: sim }, seed, overrides)
  const wall = new WallTrials({ size, now: () => performance.now() })
  const { trials, us } = await expectedOf({ ...options, size }, (scenario, judgeable) =>
    followUp({ scenario: judgeable.withParameters(scenario), judgeable, tier: sim }, seeds[0]!, {}),
  )
  if (trials > 0)
    say(
      `${plural(trials, 'trial')} in wall time, ${plural(Math.min(size, trials), 'control plane')} at once: about ${formatDuration(us)}`,
    )
  return { attempt: wall.attempt, followUp, tookMs: (...of) => wall.tookMs(...of) }
}

/** What a verification on a tier other than `sim` says of itself. */
export const tierNotes = (tier: Tier): string[] =>
  tier.name === sim.name
    ? []
    : ['the trials of the seeds run in wall time; fixes, breaking points and assumed ranges are tried on tier sim']
