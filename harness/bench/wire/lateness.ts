import type { Us } from '../../../sandbox/world/time.ts'

const WIDTH_US = 20
const BUCKETS = 50_000

/** How late something was, in steps of 20 µs up to a second. */
export class LatenessHistogram {
  private readonly buckets = new Uint32Array(BUCKETS)

  add(late: Us): void {
    const at = Math.min(BUCKETS - 1, Math.max(0, Math.floor(late / WIDTH_US)))
    this.buckets[at]!++
  }

  clear(): void {
    this.buckets.fill(0)
  }

  /** Up to the last that is not 0. */
  counts(): number[] {
    const counts = [...this.buckets]
    let length = counts.length
    while (length > 0 && counts[length - 1] === 0) length--
    return counts.slice(0, length)
  }
}

/** The upper edge of the bucket in which this share of all lies. Of several histograms. */
export function lateAt(histograms: readonly (readonly number[])[], share: number): Us {
  const length = Math.max(...histograms.map((counts) => counts.length))
  const all = Array.from({ length }, (_, i) => histograms.reduce((sum, counts) => sum + (counts[i] ?? 0), 0))
  const total = all.reduce((sum, count) => sum + count, 0)
  let seen = 0
  for (const [i, count] of all.entries()) {
    seen += count
    if (seen >= share * total) return (i + 1) * WIDTH_US
  }
  return 0
}
