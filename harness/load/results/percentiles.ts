import type { Histogram } from 'hdr-histogram-js'
import { build } from 'hdr-histogram-js'
import { minutes, type Us } from '../../../sandbox/world/time.ts'

/** A distribution of durations in µs, by nearest rank. */
export interface Percentiles {
  readonly count: number
  readonly meanUs: Us
  readonly p50Us: Us
  readonly p90Us: Us
  readonly p95Us: Us
  readonly p99Us: Us
  readonly maxUs: Us
}

/** Of values that are few enough to be sorted: exact. Undefined where there are none. */
export function percentilesOf(values: readonly Us[]): Percentiles | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const rank = (p: number): Us =>
    sorted[Math.max(0, Math.ceil(Number(((p / 100) * sorted.length).toPrecision(12))) - 1)]!
  return {
    count: sorted.length,
    meanUs: sorted.reduce((a, b) => a + b, 0) / sorted.length,
    p50Us: rank(50),
    p90Us: rank(90),
    p95Us: rank(95),
    p99Us: rank(99),
    maxUs: sorted.at(-1)!,
  }
}

/** Of as many values as there may be: to three digits, in the room of some thousand numbers. */
export class Distribution {
  private readonly histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  })

  add(us: Us): void {
    this.histogram.recordValue(Math.min(LONGEST, Math.max(0, Math.round(us))))
  }

  get count(): number {
    return this.histogram.totalCount
  }

  /** 0 where there are no values. */
  at(percentile: number): Us {
    return this.histogram.getValueAtPercentile(percentile)
  }

  percentiles(): Percentiles | undefined {
    const { histogram } = this
    if (histogram.totalCount === 0) return undefined
    return {
      count: histogram.totalCount,
      meanUs: histogram.mean,
      p50Us: this.at(50),
      p90Us: this.at(90),
      p95Us: this.at(95),
      p99Us: this.at(99),
      maxUs: histogram.maxValue,
    }
  }
}

const LONGEST: Us = minutes(60)
