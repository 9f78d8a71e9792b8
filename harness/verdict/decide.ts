import type { Tier } from '../../sandbox/tiers/tier.ts'
import type { Judgeable, Overrides } from '../judgeable.ts'
import type { Scenario } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import { explain, type Finding } from './finding.ts'
import { findBreakingPoint, type MarginResult } from './margin.ts'
import type { Invalid, Outcome, TrialResult } from './verdict.ts'

/** One scenario on one inference server: what all its trials say together. */
export interface Verdict {
  readonly scenario: string
  readonly subject: string
  readonly outcome: Outcome
  readonly trials: readonly TrialResult[]
  readonly finding?: Finding
  readonly invalid: readonly Invalid[]
  readonly skipped?: string
  readonly margin?: MarginResult
}

export interface DecideOptions {
  readonly scenario: Scenario
  readonly judgeable: Judgeable
  readonly tier: Tier
  readonly seeds: readonly number[]
  /** The command that replays a trial, for the last line of a finding. */
  readonly replay: (seed: number, at: string) => string
}

/** Runs the trials a verdict needs: every seed, the ends of every assumed range, the breaking point, and the fixes of a finding. */
export async function decide(options: DecideOptions): Promise<Verdict> {
  const { scenario, judgeable, seeds } = options
  const base = { scenario: scenario.slug, subject: judgeable.key, trials: [], invalid: [] }
  const unfit = judgeable.unfitFor(scenario)
  if (unfit) return { ...base, outcome: 'SKIPPED', skipped: unfit }
  if (judgeable.unmodelled.length > 0) return { ...base, outcome: 'INVALID', invalid: judgeable.unmodelled }

  const trials: TrialResult[] = []
  for (const seed of seeds) trials.push(await trial(options, seed, {}))
  const outcome = combined(trials)
  const done = {
    ...base,
    trials,
    outcome,
    skipped: trials[0]?.skipped,
    invalid: trials.flatMap((t) => t.invalid).slice(0, 3),
  }
  if (outcome !== 'PASS' && outcome !== 'FAIL') return done

  const flip = await assumptionThatDecides(options, outcome)
  if (flip) return { ...done, outcome: 'INVALID', invalid: [flip] }
  if (outcome === 'PASS')
    return {
      ...done,
      margin: await findBreakingPoint(options, (seed, overrides, params) => trial(options, seed, overrides, params)),
    }
  return { ...done, finding: await explain(options, trials.find((t) => t.outcome === 'FAIL')!) }
}

export async function trial(
  { scenario, judgeable, tier }: Pick<DecideOptions, 'scenario' | 'judgeable' | 'tier'>,
  seed: number,
  overrides: Overrides,
  params?: Readonly<Record<string, number>>,
): Promise<TrialResult> {
  const setup = await judgeable.prepare(overrides)
  return runTrial({ scenario, setup, tier, seed, params })
}

/** Seeds that disagree are UNSTABLE; an INVALID among them leaves nothing to trust. */
function combined(trials: readonly TrialResult[]): Outcome {
  const outcomes = new Set(trials.map((t) => t.outcome))
  if (outcomes.size === 1) return trials[0]!.outcome
  return outcomes.has('INVALID') && !outcomes.has('FAIL') ? 'INVALID' : 'UNSTABLE'
}

/** An assumed input whose range holds both verdicts: nothing may be said until it is known. */
async function assumptionThatDecides(options: DecideOptions, outcome: Outcome): Promise<Invalid | undefined> {
  for (const input of options.judgeable.assumed) {
    for (const end of input.ends) {
      const result = await trial(options, options.seeds[0]!, end.overrides)
      if (result.outcome === outcome || result.outcome === 'SKIPPED') continue
      const cause = result.judged.find((j) => j.broken)?.broken?.what
      return {
        code: 'ASSUMPTION_DECIDES',
        what: `${outcome} with the assumed ${input.name} ${input.value}, ${result.outcome} with ${end.value}${cause ? ` (${cause})` : ''}`,
        fix: input.howToGive,
      }
    }
  }
  return undefined
}
