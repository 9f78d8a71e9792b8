import { EPOCH_MS, minutes, type Us } from '../../world/time.ts'
import type { Labels } from '../querier.ts'
import { LabelSet } from './label-set.ts'
import type { Matcher } from './matcher.ts'
import { Series } from './series.ts'

/** Names a series to the store that made it, also after the series was forgotten for want of samples: the next one brings it back. */
export type SeriesRef = number

export interface TsdbOptions {
  /** Samples older than this may be dropped. Default: none is. */
  readonly retention?: Us
  /** Unix milliseconds of trial time 0. */
  readonly epochMs?: number
}

/** What a query engine needs of a store. */
export interface SeriesSource {
  /** Changes whenever another selection could give other series. */
  readonly version: number
  /** Series that satisfy all matchers, in the order they were created, whatever samples they have. */
  select(matchers: readonly Matcher[]): readonly Series[]
}

/**
 * Time series in memory, for one simulation. Times of samples are whole Unix milliseconds, as in Prometheus, so that queries
 * see what Prometheus would.
 */
export class Tsdb implements SeriesSource {
  version = 0
  private readonly epochMs: number
  private readonly retentionMs: number
  private readonly all: Series[] = []
  private readonly byKey = new Map<string, Series>()
  /** label → value → series, in the order of creation. */
  private readonly postings = new Map<string, Map<string, Series[]>>()
  private indexed = 0
  private nextCollectionMs = Number.NEGATIVE_INFINITY

  constructor(options: TsdbOptions = {}) {
    this.epochMs = options.epochMs ?? EPOCH_MS
    this.retentionMs = options.retention === undefined ? Number.POSITIVE_INFINITY : options.retention / 1e3
  }

  /** The series with these labels, made when there is none. */
  series(labels: Labels | LabelSet): SeriesRef {
    const set = labels instanceof LabelSet ? labels : LabelSet.of(labels)
    const known = this.byKey.get(set.key)
    if (known) return known.id
    const series = new Series(set, this.all.length)
    this.all.push(series)
    this.byKey.set(set.key, series)
    this.index(series)
    return series.id
  }

  labels(ref: SeriesRef): LabelSet {
    return this.all[ref]!.labels
  }

  /**
   * Adds a sample at trial time `at`. False when Prometheus would reject it: it is older than the last of its series, or has
   * that one's time and another value.
   */
  append(ref: SeriesRef, at: Us, value: number): boolean {
    return this.appendMs(ref, this.epochMs + Math.floor(at / 1e3), value)
  }

  /** `append` at Unix milliseconds. */
  appendMs(ref: SeriesRef, ms: number, value: number): boolean {
    const series = this.all[ref]!
    const last = series.lastTimeMs
    if (ms <= last)
      return ms === last && !series.isStale(series.end - 1) && Object.is(series.value(series.end - 1), value)
    this.admit(series, ms)
    series.push(ms, value, ms - this.retentionMs)
    return true
  }

  /** Marks the series as gone at `at`: it has no value from then on, until it gets a sample again. */
  markStale(ref: SeriesRef, at: Us): boolean {
    return this.markStaleMs(ref, this.epochMs + Math.floor(at / 1e3))
  }

  /** `markStale` at Unix milliseconds. */
  markStaleMs(ref: SeriesRef, ms: number): boolean {
    const series = this.all[ref]!
    if (ms <= series.lastTimeMs) return ms === series.lastTimeMs && series.isStale(series.end - 1)
    this.admit(series, ms)
    series.pushStale(ms, ms - this.retentionMs)
    return true
  }

  /** Trial time as Unix milliseconds. */
  toMs(at: Us): number {
    return this.epochMs + Math.floor(at / 1e3)
  }

  select(matchers: readonly Matcher[]): readonly Series[] {
    return this.candidates(matchers).filter((series) =>
      matchers.every((matcher) => matcher.matches(series.labels.get(matcher.name))),
    )
  }

  /** How many series can be selected. */
  get seriesCount(): number {
    return this.indexed
  }

  /** The smallest list of series that holds all a selection can give. */
  private candidates(matchers: readonly Matcher[]): readonly Series[] {
    let best: readonly Series[] | undefined
    for (const { name, type, value } of matchers) {
      if (type !== '=' || value === '') continue
      const list = this.postings.get(name)?.get(value) ?? []
      if (best === undefined || list.length < best.length) best = list
    }
    if (best) return best
    const present = matchers.find((matcher) => !matcher.matches(''))
    if (!present) return this.all.filter((series) => series.indexed)
    return [...(this.postings.get(present.name) ?? [])]
      .filter(([value]) => present.matches(value))
      .flatMap(([, list]) => list)
      .sort((a, b) => a.id - b.id)
  }

  private admit(series: Series, ms: number): void {
    if (!series.indexed) this.index(series)
    if (ms >= this.nextCollectionMs) this.collect(ms)
  }

  private index(series: Series): void {
    series.indexed = true
    this.indexed++
    const { pairs } = series.labels
    for (let i = 0; i < pairs.length; i += 2) {
      const values = this.postings.get(pairs[i]!) ?? new Map<string, Series[]>()
      this.postings.set(pairs[i]!, values)
      const list = values.get(pairs[i + 1]!)
      if (!list) values.set(pairs[i + 1]!, [series])
      else if (list[list.length - 1]!.id < series.id) list.push(series)
      else
        list.splice(
          list.findIndex((other) => other.id > series.id),
          0,
          series,
        )
    }
    this.version++
  }

  /** Forgets series whose last sample is older than the retention; a look at all of them, so seldom. */
  private collect(nowMs: number): void {
    this.nextCollectionMs = nowMs + Math.max(this.retentionMs / 4, minutes(1) / 1e3)
    if (this.retentionMs === Number.POSITIVE_INFINITY) return
    for (const series of this.all)
      if (series.indexed && series.end > 0 && series.lastTimeMs < nowMs - this.retentionMs) this.forget(series)
  }

  private forget(series: Series): void {
    series.indexed = false
    series.clear()
    this.indexed--
    const { pairs } = series.labels
    for (let i = 0; i < pairs.length; i += 2) {
      const values = this.postings.get(pairs[i]!)!
      const rest = values.get(pairs[i + 1]!)!.filter((other) => other !== series)
      if (rest.length > 0) values.set(pairs[i + 1]!, rest)
      else values.delete(pairs[i + 1]!)
    }
    this.version++
  }
}
