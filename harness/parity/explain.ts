import { formatDuration, type Us } from '../../sandbox/world/time.ts'
import type { Found } from './compare.ts'
import type { Because, Difference } from './comparison.ts'
import { knownCause } from './known-causes.ts'
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
export function explain(found: readonly Found[], { scenario, a, otherSeeds }: Context): Difference[] {
  const told: { readonly difference: Found; readonly offsetUs: Us }[] = []
  return found.map((difference) => {
    const { nth: _, ofB: __, atUs, ...rest } = difference
    const because = knownCause(scenario, rest) ?? chance(difference, a, otherSeeds) ?? consequence(difference, told)
    const { offsetUs } = difference
    if (offsetUs !== undefined && because?.sort !== 'follows') told.push({ difference, offsetUs })
    return because ? { ...rest, because } : rest
  })
}

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
  const period = found.period!.us
  if (last - first <= period || found.atUs < first - period || found.atUs > last + period) return undefined
  return {
    sort: 'chance',
    text: `among ${times.length} seeds it comes at times up to ${formatDuration(last - first)} apart`,
  }
}

/** As late, within its period, as something before it. */
function consequence(
  { offsetUs, period, atUs }: Found,
  told: readonly { readonly difference: Found; readonly offsetUs: Us }[],
): Because | undefined {
  if (offsetUs === undefined) return undefined
  const cause = told.find(
    (before) => before.difference.atUs <= atUs && Math.abs(before.offsetUs - offsetUs) <= period!.us,
  )
  if (!cause) return undefined
  return { sort: 'follows', text: `«${cause.difference.what}» is ${formatDuration(cause.offsetUs)} off before it` }
}
