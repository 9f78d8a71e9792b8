/** Sorted as Prometheus sorts values: NaN is the smallest. */
export const byValue = (a: number, b: number): number =>
  Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : Number.isNaN(b) ? 1 : a - b || 0

/** The φ-quantile of values, interpolated between neighbours; sorts them in place. Follows quantile of promql/quantile.go. */
export function quantile(phi: number, values: number[] | Float64Array): number {
  const n = values.length
  if (n === 0 || Number.isNaN(phi)) return Number.NaN
  if (phi < 0) return Number.NEGATIVE_INFINITY
  if (phi > 1) return Number.POSITIVE_INFINITY
  ;(values as number[]).sort(compareInfinities)
  const rank = phi * (n - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(n - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  if (weight === 0) return values[lower]!
  return values[lower]! * (1 - weight) + values[upper]! * weight
}

const compareInfinities = (a: number, b: number): number => (a === b ? 0 : byValue(a, b))

export interface Bucket {
  readonly upperBound: number
  count: number
}

/** Relative differences below this between neighbouring buckets are taken for errors of floating point. */
const SMALL_DELTA = 1e-12
const SMALLEST_NORMAL = 2 ** -1022

/** The φ-quantile of a classic histogram; sorts and repairs `buckets`. Follows BucketQuantile of promql/quantile.go. */
export function bucketQuantile(phi: number, buckets: Bucket[]): number {
  if (Number.isNaN(phi)) return Number.NaN
  if (phi < 0) return Number.NEGATIVE_INFINITY
  if (phi > 1) return Number.POSITIVE_INFINITY
  buckets.sort((a, b) => (a.upperBound < b.upperBound ? -1 : a.upperBound > b.upperBound ? 1 : 0))
  if (buckets.at(-1)?.upperBound !== Number.POSITIVE_INFINITY) return Number.NaN
  const merged = coalesce(buckets)
  makeMonotonic(merged)
  if (merged.length < 2) return Number.NaN
  const observations = merged.at(-1)!.count
  if (observations === 0) return Number.NaN
  let rank = phi * observations
  const last = merged.length - 1
  const found = firstIndex(last, (i) => merged[i]!.count >= rank)
  if (found === last) return merged[last - 1]!.upperBound
  if (found === 0 && merged[0]!.upperBound <= 0) return merged[0]!.upperBound
  const { upperBound: end } = merged[found]!
  let { count } = merged[found]!
  let start = 0
  if (found > 0) {
    start = merged[found - 1]!.upperBound
    count -= merged[found - 1]!.count
    rank -= merged[found - 1]!.count
  }
  return start + (end - start) * (rank / count)
}

/** Go's sort.Search: the first of n for which `holds`, by bisection, so the same one also where it does not hold in order. */
function firstIndex(n: number, holds: (i: number) => boolean): number {
  let [low, high] = [0, n]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

function coalesce(sorted: readonly Bucket[]): Bucket[] {
  const merged: Bucket[] = []
  for (const bucket of sorted) {
    const last = merged.at(-1)
    if (last?.upperBound === bucket.upperBound) last.count += bucket.count
    else merged.push({ ...bucket })
  }
  return merged
}

/** Counts may fall from one bucket to the next (rounding, torn scrapes): such falls are taken out. */
function makeMonotonic(buckets: Bucket[]): void {
  let previous = buckets[0]!.count
  for (const bucket of buckets.slice(1)) {
    if (bucket.count === previous) continue
    if (almostEqual(previous, bucket.count) || bucket.count < previous) bucket.count = previous
    else previous = bucket.count
  }
}

/** Follows util/almost/almost.go. */
function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true
  if (a === b) return true
  const sum = Math.abs(a) + Math.abs(b)
  const difference = Math.abs(a - b)
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < SMALL_DELTA * SMALLEST_NORMAL
  return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA
}
