import type { LabelSet } from '../tsdb/label-set.ts'
import type { SeriesSource } from '../tsdb/tsdb.ts'
import type { Vector } from './vector.ts'
import type { Window } from './window.ts'

/** One evaluation of a compiled expression. Times are Unix milliseconds. */
export interface Evaluation {
  readonly source: SeriesSource
  readonly lookbackMs: number
  /** When the innermost expression is evaluated: within a subquery, one of its steps. */
  readonly nowMs: number
  /** When the whole query is evaluated: `start()` and `end()`. */
  readonly queryMs: number
}

export type ScalarPlan = (evaluation: Evaluation) => number
export type VectorPlan = (evaluation: Evaluation) => Vector
export type RangePlan = (evaluation: Evaluation) => Ranges

/** Samples of several series within one range. */
export interface Ranges {
  readonly startMs: number
  readonly endMs: number
  readonly rangeSeconds: number
  /** Calls `use` for each series that has samples; the window is good only during the call. */
  each(use: (labels: LabelSet, window: Window) => void): void
}
