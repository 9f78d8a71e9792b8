import type { Us } from '../../sandbox/world/time.ts'
import type { Read } from './read.ts'
import type { Decision } from './stream.ts'

/** A decision at the time of a trial's phases: of another trial, where it is to be compared with that. */
export interface Placed extends Decision {
  readonly phase: string
  /** Since the phase began. */
  readonly intoUs: Us
}

/** A stream's decisions with their phases, at the times they would have if each phase had begun when it did in `as`. */
export const placed = (read: Read, stream: string, as: Read['phases'] = read.phases): Placed[] =>
  (read.decisions.get(stream) ?? []).map((decision) => ({ ...decision, ...placeOf(read, decision.at, as) }))

/** When the trial ended, by the phases of another. */
export const endOf = (read: Read, as: Read['phases']): Us => placeOf(read, read.endedAt, as).at

function placeOf({ phases }: Read, at: Us, as: Read['phases']): Pick<Placed, 'at' | 'phase' | 'intoUs'> {
  const [phase, start] = [...phases].findLast(([name, begun]) => begun <= at && as.has(name)) ?? ['', 0]
  const intoUs = at - start
  return { at: (as.get(phase) ?? 0) + intoUs, phase, intoUs }
}
