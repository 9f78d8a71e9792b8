import { formatDuration } from '../../sandbox/world/time.ts'
import type { Compared, Found, Pair } from './compare.ts'
import type { Because, Difference } from './comparison.ts'
import { knownCause } from './known-causes.ts'
import { LOOK } from './periods.ts'
import { placed } from './phases.ts'
import type { Read } from './read.ts'

interface Context {
  readonly scenario: string
  readonly a: Read
  /** The same trial on `a` with other seeds, where that costs no time. */
  readonly otherSeeds: readonly Read[]
}

/**
 * Says of each difference what explains it. Chance: over other seeds `a` itself decides as often or as rarely, or at such times.
 * Consequence: it comes after a difference of as much time. Else a cause that is known by name, or nothing.
 */
export function explain({ differences, pairs }: Compared, { scenario, a, otherSeeds }: Context): Difference[] {
  return differences.map((difference) => {
    const { nth: _, ofA: __, ofB: ___, atUs: ____, ...rest } = difference
    const because =
      knownCause(scenario, rest) ??
      chance(difference, a, otherSeeds) ??
      consequence(difference, pairs) ??
      repeat(difference, pairs)
    return because ? { ...rest, because } : rest
  })
}

/** So often on both sides, and it is something that repeats. */
const REPEATED = 3

/** Of so few seeds the range is told too small: half its width is added at either end. */
function chance(found: Found, a: Read, otherSeeds: readonly Read[]): Because | undefined {
  if (otherSeeds.length === 0) return undefined
  const all = [a, ...otherSeeds].map((read) =>
    placed(read, found.stream, a.phases).filter(({ what }) => what === found.what),
  )
  if (found.sort !== 'late') {
    const counts = all.map(({ length }) => length)
    const [least, most] = [Math.min(...counts), Math.max(...counts)]
    if (found.ofB < least || found.ofB > most || least === most) return undefined
    return { sort: 'chance', text: `${otherSeeds.length + 1} seeds have it ${least} to ${most} times` }
  }
  const times = all.flatMap((ones) => ones[found.nth]?.at ?? [])
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const spread = last - first
  const beyond = found.period!.us + spread / 2
  if (spread <= found.period!.us || found.atUs < first - beyond || found.atUs > last + beyond) return undefined
  return { sort: 'chance', text: `among ${times.length} seeds it comes at times up to ${formatDuration(spread)} apart` }
}

/** About as late as something before it that is at least half as far off, whether that is within its own period or not. */
function consequence({ sort, what, offsetUs, period, atUs }: Found, pairs: readonly Pair[]): Because | undefined {
  if (sort !== 'late' || offsetUs === undefined) return undefined
  const cause = pairs.find(
    (before) =>
      before.what !== what &&
      before.atUs <= atUs &&
      2 * Math.abs(before.offsetUs) >= Math.abs(offsetUs) &&
      Math.abs(before.offsetUs - offsetUs) <= period!.us + LOOK.us,
  )
  return cause && { sort: 'follows', text: `«${cause.what}» is ${formatDuration(cause.offsetUs)} off before it` }
}

/** What comes again and again until something ends it comes more often where that is later. */
function repeat({ sort, times, ofA, ofB, period, atUs }: Found, pairs: readonly Pair[]): Because | undefined {
  if (sort === 'late' || Math.min(ofA, ofB) < REPEATED) return undefined
  const end = pairs.find(
    (one) =>
      one.atUs >= atUs - period!.us &&
      Math.abs(one.offsetUs) + period!.us >= times * period!.us &&
      Math.abs(one.offsetUs) > LOOK.us,
  )
  if (!end) return undefined
  const text = `it comes every ${formatDuration(period!.us)}, and «${end.what}» is ${formatDuration(end.offsetUs)} off`
  return { sort: 'follows', text }
}
