import type { LabelSet } from '../tsdb/label-set.ts'
import { Grouper } from './grouping.ts'
import { type Bucket, bucketQuantile } from './quantile.ts'
import type { Element, Vector } from './vector.ts'

/** histogram_quantile over classic buckets: series that differ only in `le` are one histogram. Follows funcHistogramQuantile. */
export function histogramQuantile(): (phi: number, vector: Vector) => Vector {
  // with the metric's name: two metrics are two histograms
  const histograms = new Grouper((labels) => labels.without(['le']))
  return (phi, vector) => {
    histograms.begin()
    const buckets = new Map<LabelSet, Bucket[]>()
    for (const { labels, value } of vector) {
      const upperBound = parseBound(labels.get('le'))
      if (Number.isNaN(upperBound)) continue
      const histogram = histograms.group(labels)
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
