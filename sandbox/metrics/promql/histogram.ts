import type { LabelSet } from '../tsdb/label-set.ts'
import { type Bucket, bucketQuantile } from './quantile.ts'
import type { Element, Vector } from './vector.ts'

/** histogram_quantile over classic buckets: series that differ only in `le` are one histogram. Follows funcHistogramQuantile. */
export function histogramQuantile(): (phi: number, vector: Vector) => Vector {
  const histograms = new Interner()
  return (phi, vector) => {
    const buckets = new Map<LabelSet, Bucket[]>()
    for (const { labels, value } of vector) {
      const upperBound = parseBound(labels.get('le'))
      if (Number.isNaN(upperBound)) continue
      const histogram = histograms.of(labels)
      const list = buckets.get(histogram)
      if (list) list.push({ upperBound, count: value })
      else buckets.set(histogram, [{ upperBound, count: value }])
    }
    return Array.from(
      buckets,
      ([labels, list]): Element => ({ labels: labels.nameless, value: bucketQuantile(phi, list) }),
    )
  }
}

/** The upper bound of a bucket; NaN when the label says none. Takes what Go's ParseFloat takes, but hexadecimal. */
function parseBound(le: string): number {
  if (/^[+-]?(inf|infinity)$/i.test(le)) return le.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(le) ? Number(le) : Number.NaN
}

/** Labels without `le`, but with the metric's name: two metrics are two histograms. Equal ones are the same object. */
class Interner {
  private readonly known = new WeakMap<LabelSet, LabelSet>()
  private readonly byKey = new Map<string, LabelSet>()

  of(labels: LabelSet): LabelSet {
    const known = this.known.get(labels)
    if (known) return known
    const whole = labels.without(['le'])
    const same = this.byKey.get(whole.key) ?? whole
    this.byKey.set(whole.key, same)
    this.known.set(labels, same)
    return same
  }
}
