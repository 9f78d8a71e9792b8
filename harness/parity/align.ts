import type { Us } from '../../sandbox/world/time.ts'

/** Something that happened at a time, which is compared by what it is. */
export interface Timed {
  readonly at: Us
  readonly what: string
}

/** The decisions of two trials brought together. */
export interface Alignment<T extends Timed> {
  readonly both: readonly { readonly a: T; readonly b: T; readonly offsetUs: Us }[]
  readonly onlyA: readonly T[]
  readonly onlyB: readonly T[]
}

/**
 * Pairs equal decisions. Those of one identity are paired in the order of time, as many as both have, and where one trial has more
 * so that the sum of the distances is least. Decisions of different identities have no order among them here: concurrent ones may come in
 * any. Nothing is lost by that: where two that are further apart than their periods change places, one of them is off by more than its own.
 */
export function align<T extends Timed>(a: readonly T[], b: readonly T[]): Alignment<T> {
  const [byA, byB] = [byIdentity(a), byIdentity(b)]
  const both: Alignment<T>['both'][number][] = []
  const onlyA: T[] = []
  const onlyB: T[] = []
  for (const what of new Set([...byA.keys(), ...byB.keys()])) {
    const [mine, theirs] = [byA.get(what) ?? [], byB.get(what) ?? []]
    const pairs =
      mine.length <= theirs.length ? pairing(mine, theirs) : pairing(theirs, mine).map(([i, j]) => [j, i] as const)
    for (const [i, j] of pairs) both.push({ a: mine[i]!, b: theirs[j]!, offsetUs: theirs[j]!.at - mine[i]!.at })
    const [usedA, usedB] = [new Set(pairs.map(([i]) => i)), new Set(pairs.map(([, j]) => j))]
    onlyA.push(...mine.filter((_, i) => !usedA.has(i)))
    onlyB.push(...theirs.filter((_, j) => !usedB.has(j)))
  }
  const byTime = (x: Timed, y: Timed) => x.at - y.at
  return { both: both.sort((x, y) => byTime(x.a, y.a)), onlyA: onlyA.sort(byTime), onlyB: onlyB.sort(byTime) }
}

function byIdentity<T extends Timed>(decisions: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const decision of decisions) {
    const same = found.get(decision.what)
    if (same) same.push(decision)
    else found.set(decision.what, [decision])
  }
  return found
}

/** A partner for every one of `few` among `many`, in order, at the least sum of distances; as pairs of indexes. */
function pairing(few: readonly Timed[], many: readonly Timed[]): (readonly [number, number])[] {
  const spare = many.length - few.length
  // least[i][k]: the first i of `few` have partners, and k of `many` were passed over
  const least: number[][] = [Array.from({ length: spare + 1 }, () => 0)]
  for (let i = 1; i <= few.length; i++) {
    const row: number[] = []
    for (let k = 0; k <= spare; k++) {
      const taken = least[i - 1]![k]! + Math.abs(few[i - 1]!.at - many[i - 1 + k]!.at)
      row.push(k > 0 ? Math.min(taken, row[k - 1]!) : taken)
    }
    least.push(row)
  }
  const pairs: (readonly [number, number])[] = []
  let k = spare
  for (let i = few.length; i > 0; i--) {
    while (k > 0 && least[i]![k - 1]! <= least[i]![k]!) k--
    pairs.push([i - 1, i - 1 + k])
  }
  return pairs.reverse()
}
