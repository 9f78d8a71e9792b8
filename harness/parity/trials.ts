import type { LagProfile } from '../../sandbox/kube/lag.ts'
import type { Tier } from '../../sandbox/tiers/tier.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { Judgeable } from '../judgeable.ts'
import { yielding } from '../pool/yielding.ts'
import type { Scenario } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import type { TrialRecord } from '../trial-spec.ts'
import { judge } from '../verdict/judge.ts'
import type { Comparison } from './comparison.ts'
import { type Ended, pair } from './pair.ts'
import { type Read, readDecisions } from './read.ts'

/** A tier to compare, and how far behind its control plane is where it is simulated. */
export interface ParitySide {
  /** `sim`, `sim:instant`. */
  readonly label: string
  readonly tier: Tier
  readonly lag: LagProfile
  /** Its time costs next to nothing: it is run first, and with more seeds. */
  readonly virtual: boolean
}

/** One scenario on one inference server. */
export interface ParityCase {
  readonly scenario: Scenario
  /** `good/two-nodes`, or the server's key. */
  readonly sample: string
  /** The server as a tier judges it. */
  on(side: ParitySide): Judgeable
}

/** What has become of one case; `error`: a trial failed by a fault that is not the platform's. */
export type ParityResult =
  | { readonly of: ParityCase; readonly comparison: Comparison }
  | { readonly of: ParityCase; readonly error: { readonly tier: string; readonly cause: Error } }

/** What a reader may want to know while trials run. */
export interface ParityEvents {
  readonly began?: (of: ParityCase, side: ParitySide) => void
  readonly ended?: (of: ParityCase, side: ParitySide) => void
  readonly recorded?: (of: ParityCase, side: ParitySide, record: TrialRecord) => void
}

export interface ParityOptions {
  readonly sides: readonly [ParitySide, ParitySide]
  readonly seed: number
  /** Further trials of the first side, where it is virtual: what differs between them too is chance. */
  readonly seedsOfChance: number
  /** Trials at once on a tier in wall time. */
  readonly jobs: number
  readonly events?: ParityEvents
}

/** One side's trial of a case. */
export async function tryOn(of: ParityCase, side: ParitySide, seed: number, events: ParityEvents = {}): Promise<Ended> {
  const judgeable = of.on(side)
  const scenario = judgeable.withParameters(of.scenario)
  const spec = { scenario, setup: judgeable.prepare({}), tier: side.tier, seed }
  const nothing: Read = readDecisions([])
  const blockers = judgeable.blockersFor(scenario)
  if (blockers.length > 0) return { tier: side.label, result: judge.invalid(spec, blockers), read: nothing }
  let read = nothing
  const result = await runTrial({
    ...spec,
    onRecord(record) {
      read = readDecisions(record.journal.records)
      events.recorded?.(of, side, record)
    },
  })
  return { tier: side.label, result, read }
}

/** A case whose quick trials are done. */
export interface Prepared {
  readonly of: ParityCase
  /** By the side's place. */
  readonly ended: readonly (Ended | undefined)[]
  /** How long its trials in wall time will take; 0 where nobody can know. */
  readonly expectedUs: Us
}

/** Runs what costs no time: the virtual sides. */
export async function prepareCase(of: ParityCase, { sides, seed, events }: ParityOptions): Promise<Prepared> {
  const ended: (Ended | undefined)[] = []
  for (const side of sides) ended.push(side.virtual ? await tryOn(of, side, seed, events) : undefined)
  return { of, ended, expectedUs: Math.max(0, ...ended.map((one) => one?.result.simulatedUs ?? 0)) }
}

/** The first side's trial with further seeds, where that costs no time; other trials may go on in wall time meanwhile. */
async function otherSeeds(of: ParityCase, { sides: [first], seed, seedsOfChance }: ParityOptions): Promise<Read[]> {
  const reads: Read[] = []
  const side = { ...first, tier: yielding(first.tier) }
  for (let more = 1; first.virtual && more <= seedsOfChance; more++)
    reads.push((await tryOn(of, side, seed + more)).read)
  return reads
}

/** Runs the rest, the longest first and `jobs` at once, and gives each comparison as soon as it can be made. */
export async function* compareCases(
  prepared: readonly Prepared[],
  options: ParityOptions,
): AsyncGenerator<ParityResult> {
  const waiting = prepared.toSorted((x, y) => y.expectedUs - x.expectedUs)
  const running = new Map<Prepared, Promise<readonly [Prepared, ParityResult]>>()
  while (waiting.length + running.size > 0) {
    while (waiting.length > 0 && running.size < options.jobs) {
      const next = waiting.shift()!
      running.set(
        next,
        finish(next, options).then((result) => [next, result] as const),
      )
    }
    const [done, result] = await Promise.race(running.values())
    running.delete(done)
    yield result
  }
}

async function finish({ of, ended }: Prepared, options: ParityOptions): Promise<ParityResult> {
  const { sides, seed, events } = options
  const both: Ended[] = []
  for (const [i, side] of sides.entries()) {
    const known = ended[i]
    if (known) {
      both.push(known)
      continue
    }
    events?.began?.(of, side)
    try {
      both.push(await tryOn(of, side, seed, events))
    } catch (cause) {
      return { of, error: { tier: side.label, cause: cause as Error } }
    } finally {
      events?.ended?.(of, side)
    }
  }
  const [a, b] = both as [Ended, Ended]
  const what = { scenario: of.scenario.slug, sample: of.sample }
  return { of, comparison: await pair(what, a, b, () => otherSeeds(of, options)) }
}

/** About how long trials take that run `jobs` at once, the longest first. */
export function expectedTotalUs(lengths: readonly Us[], jobs: number): Us {
  const ends = Array.from({ length: Math.max(1, jobs) }, () => 0)
  for (const length of lengths.toSorted((a, b) => b - a)) {
    const first = ends.indexOf(Math.min(...ends))
    ends[first] = ends[first]! + length
  }
  return Math.max(...ends)
}
