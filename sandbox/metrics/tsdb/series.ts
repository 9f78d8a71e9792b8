import type { LabelSet } from './label-set.ts'

/** The bits of the NaN that marks a series as gone (model/value/value.go), as two little-endian words. */
const STALE_LOW = 2
const STALE_HIGH = 0x7ff00000

const INITIAL_CAPACITY = 16

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
  private readonly baseMs: number
  /** Milliseconds since `baseMs`. */
  private times = new Int32Array(INITIAL_CAPACITY)
  private values = new Float64Array(INITIAL_CAPACITY)
  private words = new Uint32Array(this.values.buffer)
  /** Samples stand in [start, end). */
  start = 0
  end = 0

  constructor(labels: LabelSet, id: number, baseMs: number) {
    this.labels = labels
    this.id = id
    this.baseMs = baseMs
  }

  timeMs(i: number): number {
    return this.baseMs + this.times[i]!
  }

  value(i: number): number {
    return this.values[i]!
  }

  isStale(i: number): boolean {
    return this.words[2 * i] === STALE_LOW && this.words[2 * i + 1] === STALE_HIGH
  }

  get lastTimeMs(): number {
    return this.end > this.start ? this.timeMs(this.end - 1) : Number.NEGATIVE_INFINITY
  }

  /** The first sample later than `ms`; `end` when there is none. */
  indexAfter(ms: number): number {
    const wanted = ms - this.baseMs
    const { times } = this
    let [low, high] = [this.start, this.end]
    if (high > low && times[high - 1]! <= wanted) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (times[middle]! <= wanted) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Adds a sample later than all others; `keepAfterMs` is what may be dropped to make room. */
  push(ms: number, value: number, keepAfterMs: number): void {
    if (this.end === this.times.length) this.makeRoom(keepAfterMs)
    this.times[this.end] = ms - this.baseMs
    this.values[this.end++] = value
  }

  pushStale(ms: number, keepAfterMs: number): void {
    this.push(ms, 0, keepAfterMs)
    this.words[2 * (this.end - 1)] = STALE_LOW
    this.words[2 * (this.end - 1) + 1] = STALE_HIGH
  }

  /** Gives back the memory of all samples. */
  clear(): void {
    this.times = new Int32Array(INITIAL_CAPACITY)
    this.values = new Float64Array(INITIAL_CAPACITY)
    this.words = new Uint32Array(this.values.buffer)
    this.start = 0
    this.end = 0
  }

  private makeRoom(keepAfterMs: number): void {
    this.start = this.indexAfter(keepAfterMs)
    const kept = this.end - this.start
    const capacity = kept > this.times.length / 2 ? this.times.length * 2 : this.times.length
    const [times, values] = [new Int32Array(capacity), new Float64Array(capacity)]
    times.set(this.times.subarray(this.start, this.end))
    const words = new Uint32Array(values.buffer)
    words.set(this.words.subarray(2 * this.start, 2 * this.end))
    this.times = times
    this.values = values
    this.words = words
    this.start = 0
    this.end = kept
  }
}
