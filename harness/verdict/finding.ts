import { formatDuration } from '../../sandbox/world/time.ts'
import type { Broken, Evidence } from '../expectations/check.ts'
import { remedies } from '../remedies/index.ts'
import type { ByHand, Diagnosis, RemedyContext } from '../remedies/remedy.ts'
import type { DecideOptions } from './attempt.ts'
import { type Fix, tryFixes } from './fixes.ts'
import { brokenIn, type TrialResult } from './verdict.ts'

/** Why a trial failed, where that stands in the user's files, and a fix that was tried. */
export interface Finding {
  readonly cause: string
  readonly what: string
  readonly at: string
  readonly evidence: readonly Evidence[]
  readonly source?: Source
  readonly fix?: Fix
  /** What people do, where no fix is known that passes. It was not tried. */
  readonly byHand?: ByHand
  /** Fixes that were tried and did not help. */
  readonly triedInVain: readonly string[]
  readonly replay: string
}

export interface Source {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The field, and what is wrong with it. */
  readonly path: string
  readonly says: string
  /** The field is not there: the position is its nearest ancestor's. */
  readonly absent?: boolean
  /** How what stands there comes into the object: `replicaCount, through chart/templates/deployment.yaml:8`. */
  readonly via?: string
  /** The position is that of rendered text, made from this. */
  readonly rendered?: string
}

/** Finds the cause's place in the manifest and tries its remedies, unless told not to; only one that passes is given as a fix. */
export async function explain(
  options: DecideOptions,
  failed: TrialResult,
  { fixes = true }: { readonly fixes?: boolean } = {},
): Promise<Finding> {
  const { judgeable, replay } = options
  const all = brokenIn(failed)
  const broken = all[0]!
  const { diagnosis, about } = diagnose(all, (one) => judgeable.remedyContext(one, options.scenario))
  const { fix, triedInVain } = await tryFixes(options, failed, (fixes && diagnosis?.candidates) || [])
  const known = fix || !diagnosis?.guess
  const source = diagnosis && known ? judgeable.sourceOf(diagnosis.path, diagnosis.object) : undefined
  const shown = (known ? about : undefined) ?? broken
  return {
    cause: shown.cause,
    what: shown.what,
    at: formatDuration(shown.at),
    evidence: shown.evidence,
    source: source && {
      ...source,
      path: diagnosis!.path,
      says: `${diagnosis!.says}${source.absent ? ' (not set: the default)' : ''}`,
    },
    fix,
    ...(!fix && diagnosis?.byHand ? { byHand: diagnosis.byHand } : {}),
    triedInVain,
    replay: replay(failed.seed, formatDuration(shown.at)),
  }
}

/** The first broken expectation a remedy knows the cause of; a guess where none does. */
function diagnose(
  all: readonly Broken[],
  contextOf: (broken: Broken) => RemedyContext,
): { diagnosis?: Diagnosis; about?: Broken } {
  let guess: { diagnosis: Diagnosis; about: Broken } | undefined
  for (const about of all) {
    for (const remedy of remedies) {
      if (!remedy.causes.includes(about.cause)) continue
      const diagnosis = remedy.diagnose(contextOf(about))
      if (diagnosis && !diagnosis.guess) return { diagnosis, about }
      if (diagnosis) guess ??= { diagnosis, about }
    }
  }
  return guess ?? {}
}
