import type { Judgeable, Overrides } from '../judgeable.ts'
import { manifestsText } from '../platform/add.ts'
import { PlatformErrors } from '../platform/errors.ts'
import type { AddedObjects, Candidate } from '../remedies/remedy.ts'
import type { Scenario } from '../scenario.ts'
import { attempt, type DecideOptions } from './attempt.ts'
import type { Outcome, TrialResult } from './verdict.ts'

/** What was changed, and run again on every seed, and passed. */
export interface Fix {
  readonly says: string
  readonly outcome: 'PASS'
  /** Object and fields, for tools. */
  readonly changes: Candidate['changes']
  readonly moreNodes?: number
  /** Files to add. */
  readonly adds?: readonly FileToAdd[]
  /** The other scenarios a fix that adds objects was run with, one seed each: none of them comes out worse. */
  readonly alsoRun?: readonly string[]
}

/** A file with whole objects, as it was tried. */
export interface FileToAdd {
  /** Where it belongs: beside the server's manifest. */
  readonly file: string
  readonly text: string
  /** `PodDisruptionBudget/chat`, each. */
  readonly objects: readonly string[]
  /** What else it takes that the file is read. */
  readonly remark?: string
}

/** Applies one candidate after the other and runs it on every seed; the first that passes is the fix. What the API server refuses is none. */
export async function tryFixes(
  options: DecideOptions,
  failed: TrialResult,
  candidates: readonly Candidate[],
): Promise<{ fix?: Fix; triedInVain: string[] }> {
  const triedInVain: string[] = []
  for (const { says, changes, moreNodes, adds } of candidates) {
    const files = adds ? [fileOf(adds, options.judgeable)] : []
    const overrides: Overrides = {
      ...(changes ? { changes } : {}),
      ...(moreNodes === undefined ? {} : { moreNodes }),
      ...(files.length > 0 ? { adds: files.map(({ file, text }) => ({ file, text })) } : {}),
    }
    const changed = files.length > 0 ? accepted(options.judgeable, overrides) : options.judgeable
    if (!changed || !(await passes(options, failed.seed, overrides))) {
      triedInVain.push(says)
      continue
    }
    const fix = { says, changes, ...(moreNodes === undefined ? {} : { moreNodes }), outcome: 'PASS' as const }
    if (files.length === 0) return { fix, triedInVain }
    const { worse, alsoRun } = await effectOnOthers(options, changed, overrides)
    if (worse.length === 0) return { fix: { ...fix, adds: files, alsoRun }, triedInVain }
    triedInVain.push(`${says}, which does not pass ${worse.join(', ')}`)
  }
  return { triedInVain }
}

/** On every seed; on the one that failed first, which most often tells at once that a fix is none. */
async function passes(options: DecideOptions, failedOn: number, overrides: Overrides): Promise<boolean> {
  const outcomeOn = async (seed: number) => (await attempt(options, seed, overrides)).outcome
  if ((await outcomeOn(failedOn)) !== 'PASS') return false
  const others = options.seeds.filter((seed) => seed !== failedOn)
  return (await Promise.all(others.map(outcomeOn))).every((outcome) => outcome === 'PASS')
}

function fileOf({ name, objects }: AddedObjects, judgeable: Judgeable): FileToAdd {
  const ids = objects.map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name].filter(Boolean).join('/'))
  return { ...judgeable.placeBeside(name), text: manifestsText(objects), objects: ids }
}

/** The server among its platform with more files; undefined where they would be refused. */
function accepted(judgeable: Judgeable, overrides: Overrides): Judgeable | undefined {
  try {
    return judgeable.changed(overrides)
  } catch (error) {
    if (error instanceof PlatformErrors) return undefined
    throw error
  }
}

const RANK: Readonly<Record<Outcome, number>> = { PASS: 0, SKIPPED: 0, WAIVED: 0, INVALID: 1, UNSTABLE: 2, FAIL: 3 }

/** Runs the other scenarios once with a fix, and those that do not pass once without it: which come out worse, and which were run. */
async function effectOnOthers(
  options: DecideOptions,
  changed: Judgeable,
  overrides: Overrides,
): Promise<{ worse: string[]; alsoRun: string[] }> {
  const seed = options.seeds[0]!
  const outcomeOf = async (scenario: Scenario, judgeable: Judgeable, how: Overrides): Promise<Outcome> => {
    if (judgeable.unfitFor(scenario) !== undefined) return 'SKIPPED'
    if (judgeable.blockersFor(scenario).length > 0) return 'INVALID'
    return (await attempt({ ...options, scenario }, seed, how)).outcome
  }
  const tried = await Promise.all(
    (options.others ?? []).map(async (scenario) => {
      const after = await outcomeOf(scenario, changed, overrides)
      const before = RANK[after] > 0 ? await outcomeOf(scenario, options.judgeable, {}) : after
      return { scenario: scenario.slug, isWorse: RANK[after] > RANK[before], after }
    }),
  )
  return {
    worse: tried.flatMap(({ scenario, isWorse }) => (isWorse ? [scenario] : [])),
    alsoRun: tried.flatMap(({ scenario, after }) => (after === 'SKIPPED' ? [] : [scenario])),
  }
}
