import type { LabelSet } from './label-set.ts'

/** The bits of the NaN that marks a series as gone (model/value/value.go), as two little-endian words. */
const STALE_LOW = 2
const STALE_HIGH = 0x7ff00000

const INITIAL_CAPACITY = 32
const NOTHING = new Float64Array(0)

/**
 * Samples of one series, in the order of time. A marker of staleness is a NaN with Prometheus' bits; it is written and read as
 * words, because JavaScript may change the bits of a NaN it carries as a number.
 */
export class Series {
  readonly labels: LabelSet
  /** The order of creation within its store. */
  readonly id: number
  /** Whether selections can give it: not after the store has forgotten it for want of samples. */
  indexed = false
  /** time, value, time, value, …: together, so that a sample is in one place of memory. Times are Unix milliseconds. */
  private data = NOTHING
  /** Samples stand in [start, end). */
  start = 0
  end = 0

  constructor(labels: LabelSet, id: number) {
    this.labels = labels
    this.id = id
  }

  timeMs(i: number): number {
    return this.data[2 * i]!
  }

  value(i: number): number {
    return this.data[2 * i + 1]!
  }

  isStale(i: number): boolean {
    if (!Number.isNaN(this.data[2 * i + 1])) return false
    const words = new Uint32Array(this.data.buffer, 16 * i + 8, 2)
    return words[0] === STALE_LOW && words[1] === STALE_HIGH
  }

  get lastTimeMs(): number {
    return this.end > this.start ? this.timeMs(this.end - 1) : Number.NEGATIVE_INFINITY
  }

  /** The first sample later than `ms`; `end` when there is none. */
  indexAfter(ms: number): number {
    const { data } = this
    let [low, high] = [this.start, this.end]
    if (high > low && data[2 * high - 2]! <= ms) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (data[2 * middle]! <= ms) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Adds a sample later than all others; `keepAfterMs` is what may be dropped to make room. */
  push(ms: number, value: number, keepAfterMs: number): void {
    if (2 * this.end === this.data.length) this.makeRoom(keepAfterMs)
    this.data[2 * this.end] = ms
    this.data[2 * this.end++ + 1] = value
  }

  pushStale(ms: number, keepAfterMs: number): void {
    this.push(ms, 0, keepAfterMs)
    new Uint32Array(this.data.buffer, 16 * this.end - 8, 2).set([STALE_LOW, STALE_HIGH])
  }

  /** Gives back the memory of all samples. */
  clear(): void {
    this.data = NOTHING
    this.start = 0
    this.end = 0
  }

  private makeRoom(keepAfterMs: number): void {
    this.start = this.indexAfter(keepAfterMs)
    const kept = this.end - this.start
    const capacity = this.data.length / 2
    const data = new Float64Array(2 * (2 * kept > capacity ? 2 * capacity : Math.max(capacity, INITIAL_CAPACITY)))
    // as words: copying numbers could change the bits of a marker
    new Uint32Array(data.buffer).set(new Uint32Array(this.data.buffer, 16 * this.start, 4 * kept))
    this.data = data
    this.start = 0
    this.end = kept
  }
}
