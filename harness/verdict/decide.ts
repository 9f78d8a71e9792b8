import type { Overrides } from '../judgeable.ts'
import { mattersTo } from '../uncertain-inputs.ts'
import type { Waiver } from '../waivers/waivers.ts'
import { attempt, type DecideOptions } from './attempt.ts'
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
  /** What the trial comes to where its consequences would have been tried, when that is something else: none was tried. */
  readonly otherwise?: Outcome
  /** Why the outcome is WAIVED, and what it would be without. */
  readonly waiver?: Waiver
}

/** Runs the trials a verdict needs: every seed, the ends of every assumed range, the breaking point, and the fixes of a finding. */
export async function decide(options: DecideOptions): Promise<Verdict> {
  const { scenario, judgeable, seeds } = options
  const base = { scenario: scenario.slug, subject: judgeable.key, trials: [], invalid: [] }
  const unfit = judgeable.unfitFor(scenario)
  if (unfit) return { ...base, outcome: 'SKIPPED', skipped: unfit }
  const blockers = judgeable.blockersFor(scenario)
  if (blockers.length > 0) return { ...base, outcome: 'INVALID', invalid: blockers }

  const trials = await Promise.all(seeds.map((seed) => attempt(options, seed, {})))
  const outcome = combined(trials)
  const done = {
    ...base,
    trials,
    outcome,
    skipped: trials[0]?.skipped,
    invalid: different(trials.flatMap((t) => t.invalid)).slice(0, 3),
  }
  const failed = trials.find((t) => t.outcome === 'FAIL')
  const after = afterwards(options)
  const otherwise = failed || outcome === 'PASS' ? await saidOtherwise(options, failed?.outcome ?? outcome) : undefined
  if (otherwise)
    return { ...done, otherwise, ...(failed ? { finding: await explain(after, failed, { fixes: false }) } : {}) }
  // what failed on some seeds is what is to be mended; which fix passes on all is tried all the same
  if (outcome === 'UNSTABLE' && failed) return { ...done, finding: await explain(after, failed) }
  if (outcome !== 'PASS' && outcome !== 'FAIL') return done

  const doubt = trials.map((t) => judgeable.doubtOf(t)).find((d) => d) ?? (await assumptionThatDecides(after, outcome))
  if (doubt) return { ...done, outcome: 'INVALID', invalid: [doubt] }
  if (outcome === 'PASS')
    return {
      ...done,
      margin: await findBreakingPoint(after, (seed, overrides) => attempt(after, seed, overrides)),
    }
  return { ...done, finding: await explain(after, failed!) }
}

/** The options of what follows from the trials of the seeds. */
const afterwards = ({ followUp, ...options }: DecideOptions): DecideOptions =>
  followUp ? { ...options, attempt: followUp } : options

/** The outcome of the same trial where its consequences are tried, when that is another. */
async function saidOtherwise(options: DecideOptions, outcome: Outcome): Promise<Outcome | undefined> {
  if (!options.followUp) return undefined
  const said = await options.followUp(options, options.seeds[0]!, {})
  return said.outcome === outcome ? undefined : said.outcome
}

/** Seeds say the same more than once. */
const different = (invalid: readonly Invalid[]): Invalid[] =>
  invalid.filter(({ code, what }, i) => invalid.findIndex((one) => one.code === code && one.what === what) === i)

/** Seeds that disagree are UNSTABLE; an INVALID among them leaves nothing to trust. */
function combined(trials: readonly TrialResult[]): Outcome {
  const outcomes = new Set(trials.map((t) => t.outcome))
  if (outcomes.size === 1) return trials[0]!.outcome
  return outcomes.has('INVALID') && !outcomes.has('FAIL') ? 'INVALID' : 'UNSTABLE'
}

/**
 * An assumed input whose range holds both verdicts: nothing may be said until it is known. All inputs at their better and at their worse
 * ends are tried first; when both say the same, so does what lies between (a longer load, less bandwidth, more requests never help).
 */
async function assumptionThatDecides(options: DecideOptions, outcome: Outcome): Promise<Invalid | undefined> {
  const uncertain = options.judgeable.uncertain.filter((input) => mattersTo(input, options.scenario))
  if (uncertain.length === 0) return undefined
  const seed = options.seeds[0]!
  const corner = (end: 0 | 1): Overrides => Object.assign({}, ...uncertain.map((input) => input.ends[end].overrides))
  const corners = await Promise.all(([0, 1] as const).map((end) => attempt(options, seed, corner(end))))
  const turned = corners.find((result) => result.outcome !== outcome)
  // a load that goes by the server's own capacity is no easier with shorter prompts: promises nobody gave are tried alone too
  const alone = turned ? uncertain : outcome === 'FAIL' ? uncertain.filter(({ judgedBy }) => judgedBy) : []
  for (const input of alone) {
    for (const end of input.ends) {
      const result = await attempt(options, seed, end.overrides)
      if (turned ? result.outcome === outcome : result.outcome !== 'PASS') continue
      return {
        code: 'ASSUMPTION_DECIDES',
        what: `${outcome} with the ${input.origin} ${input.name} of ${input.value}, ${result.outcome} with ${end.value}${because(result)}`,
        fix: input.howToGive,
      }
    }
  }
  if (!turned) return undefined
  const end = turned === corners[0] ? 0 : 1
  return {
    code: 'ASSUMPTION_DECIDES',
    what: `${outcome} as assumed, ${turned.outcome} with ${uncertain.map((i) => `${i.name} ${i.ends[end].value}`).join(', ')}${because(turned)}`,
    fix: uncertain[0]!.howToGive,
  }
}

function because(result: TrialResult): string {
  const why = result.judged.find((j) => j.broken)?.broken?.what ?? result.invalid[0]?.what
  return why ? ` (${why})` : ''
}
