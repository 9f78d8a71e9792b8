import { type Alignment, align } from './align.ts'
import type { Difference, StreamSummary } from './comparison.ts'
import { LOOK } from './periods.ts'
import { endOf, type Placed, placed } from './phases.ts'
import type { Read } from './read.ts'

/** Two trials' decisions, stream by stream. */
export interface Compared {
  readonly streams: readonly StreamSummary[]
  /** In the order of time; nothing is explained yet. */
  readonly differences: readonly Found[]
  /** Decisions that both made, late or not. */
  readonly pairs: readonly Pair[]
}

/** A decision that both made. */
export interface Pair {
  readonly what: string
  /** When `b` made it, at `a`'s phases. */
  readonly atUs: number
  readonly offsetUs: number
}

/** A difference, and where among equal decisions of its stream it stands: the first is 0. */
export interface Found extends Difference {
  readonly nth: number
  /** How many of it each has in all. */
  readonly ofA: number
  readonly ofB: number
  /** When `b` decided it, at `a`'s phases; for what `b` lacks, when `a` did. */
  readonly atUs: number
}

export function compareReads(a: Read, b: Read): Compared {
  const streams: StreamSummary[] = []
  const differences: Found[] = []
  const pairs: Pair[] = []
  const ends = [a.endedAt, endOf(b, a.phases)] as const
  for (const stream of a.decisions.keys()) {
    const mine = placed(a, stream)
    const theirs = placed(b, stream, a.phases)
    const aligned = align(mine, theirs)
    const onlyA = aligned.onlyA.filter((one) => one.at + one.period.us <= ends[1])
    const onlyB = aligned.onlyB.filter((one) => one.at + one.period.us <= ends[0])
    const alignment = { ...aligned, onlyA, onlyB }
    const afterEnd = aligned.onlyA.length + aligned.onlyB.length - onlyA.length - onlyB.length
    const late = alignment.both.filter(isLate)
    for (const { b: one, offsetUs } of aligned.both) pairs.push({ what: one.what, atUs: one.at, offsetUs })
    streams.push({ ...summaryOf(stream, alignment), late: late.length, afterEnd })
    const counts = (what: string) => ({
      ofA: mine.filter((one) => one.what === what).length,
      ofB: theirs.filter((one) => one.what === what).length,
    })
    for (const { a: one, b: other, offsetUs } of late) {
      const nth = mine.filter(({ what }) => what === one.what).indexOf(one)
      differences.push({
        ...foundOf('late', stream, one, 1),
        offsetUs,
        period: one.period,
        nth,
        ...counts(one.what),
        atUs: other.at,
      })
    }
    for (const [sort, ones] of [
      ['only-a', alignment.onlyA],
      ['only-b', alignment.onlyB],
    ] as const)
      for (const [first, times] of counted(ones))
        differences.push({
          ...foundOf(sort, stream, first, times),
          period: first.period,
          nth: 0,
          ...counts(first.what),
          atUs: first.at,
        })
  }
  return { streams, differences: differences.sort(byTime), pairs: pairs.sort(byTime) }
}

const byTime = (x: { readonly atUs: number }, y: { readonly atUs: number }): number => x.atUs - y.atUs

const isLate = ({ a, b, offsetUs }: Alignment<Placed>['both'][number]): boolean =>
  Math.abs(offsetUs) > Math.max(a.period.us, b.period.us) + LOOK.us

const foundOf = (sort: Difference['sort'], stream: string, { what, phase, intoUs }: Placed, times: number) => ({
  sort,
  stream,
  what,
  times,
  phase,
  intoUs,
})

function summaryOf(
  stream: string,
  { both, onlyA, onlyB }: Alignment<Placed>,
): Omit<StreamSummary, 'late' | 'afterEnd'> {
  const apart = both.map(({ offsetUs }) => offsetUs).sort((x, y) => Math.abs(x) - Math.abs(y))
  const at = (share: number) => apart[Math.min(apart.length - 1, Math.ceil(share * apart.length) - 1)]!
  const offsets = apart.length > 0 ? { medianUs: at(0.5), p95Us: at(0.95), maxUs: at(1) } : undefined
  return { stream, both: both.length, onlyA: onlyA.length, onlyB: onlyB.length, ...(offsets ? { offsets } : {}) }
}

/** The first of equal ones, with how many there are. */
function counted(ones: readonly Placed[]): (readonly [Placed, number])[] {
  const first = new Map<string, Placed>()
  const times = new Map<string, number>()
  for (const one of ones) {
    if (!first.has(one.what)) first.set(one.what, one)
    times.set(one.what, (times.get(one.what) ?? 0) + 1)
  }
  return [...first].map(([what, one]) => [one, times.get(what)!] as const)
}
