import type { Series } from '../tsdb/series.ts'

/** Samples of one series within a range, in the order of time, without markers of staleness. Refilled for each series. */
export class Window {
  length = 0
  /** Unix milliseconds. */
  times = new Float64Array(64)
  values = new Float64Array(64)

  /** The samples of `series` later than `startMs`, up to `endMs`. */
  fill(series: Series, startMs: number, endMs: number): void {
    this.length = 0
    if (endMs <= startMs) return
    const end = series.indexAfter(endMs)
    for (let i = series.indexAfter(startMs); i < end; i++) {
      const value = series.value(i)
      if (!Number.isNaN(value) || !series.isStale(i)) this.push(series.timeMs(i), value)
    }
  }

  push(timeMs: number, value: number): void {
    if (this.length === this.times.length) this.grow()
    this.times[this.length] = timeMs
    this.values[this.length++] = value
  }

  private grow(): void {
    const [times, values] = [new Float64Array(this.length * 2), new Float64Array(this.length * 2)]
    times.set(this.times)
    values.set(this.values)
    this.times = times
    this.values = values
  }
}
