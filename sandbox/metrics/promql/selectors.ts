import type { LabelSet } from '../tsdb/label-set.ts'
import type { Series } from '../tsdb/series.ts'
import type { MatrixSelector, Subquery, TimeShift, VectorSelector } from './ast.ts'
import type { Evaluation, RangePlan, VectorPlan } from './context.ts'
import type { Element } from './vector.ts'
import { Window } from './window.ts'

/** When a selector or subquery looks, by its `@` and `offset`. */
function shifted({ offsetMs, at }: TimeShift, { nowMs, queryMs }: Evaluation): number {
  return (at === undefined ? nowMs : at === 'query' ? queryMs : at) - offsetMs
}

/** The series of a selector, selected anew only when the store's series have changed. */
function selection(selector: VectorSelector): (evaluation: Evaluation) => readonly Series[] {
  let of: object | undefined
  let version = -1
  let series: readonly Series[] = []
  return ({ source }) => {
    if (of !== source || version !== source.version) {
      of = source
      version = source.version
      series = source.select(selector.matchers)
    }
    return series
  }
}

/** The latest sample of each series that is neither stale nor older than the lookback. Follows vectorSelectorSingle. */
function latest(selector: VectorSelector, value: (series: Series, i: number) => number): VectorPlan {
  const select = selection(selector)
  return (evaluation) => {
    const at = shifted(selector, evaluation)
    const oldest = at - evaluation.lookbackMs
    const elements: Element[] = []
    for (const series of select(evaluation)) {
      const i = series.indexAfter(at) - 1
      if (i < series.start || series.timeMs(i) <= oldest || series.isStale(i)) continue
      elements.push({ labels: series.labels, value: value(series, i) })
    }
    return elements
  }
}

export const instantSelector = (selector: VectorSelector): VectorPlan =>
  latest(selector, (series, i) => series.value(i))

/** timestamp() of a selector: when its samples were taken, not when they are looked at. With `@` Prometheus forgets the offset. */
export const selectorTimes = (selector: VectorSelector): VectorPlan =>
  latest(selector.at === undefined ? selector : { ...selector, offsetMs: 0 }, (series, i) => series.timeMs(i) / 1000)

/** Ranges are open to the left. */
export function rangeSelector({ selector, rangeMs, rangeSeconds }: MatrixSelector): RangePlan {
  const select = selection(selector)
  const window = new Window()
  return (evaluation) => {
    const endMs = shifted(selector, evaluation)
    const startMs = endMs - rangeMs
    return {
      startMs,
      endMs,
      rangeSeconds,
      each(use) {
        for (const series of select(evaluation)) {
          window.fill(series, startMs, endMs)
          if (window.length > 0) use(series.labels, window)
        }
      },
    }
  }
}

/** Evaluates an expression at the multiples of the step within the range. Follows subqueryEvaluationTimes of promql/engine.go. */
export function subqueryRange(subquery: Subquery, plan: VectorPlan, defaultStepMs: number): RangePlan {
  const { rangeMs, rangeSeconds } = subquery
  const stepMs = subquery.stepMs || defaultStepMs
  return (evaluation) => {
    const endMs = shifted(subquery, evaluation)
    const startMs = endMs - rangeMs
    return {
      startMs,
      endMs,
      rangeSeconds,
      each(use) {
        const windows = new Map<string, { labels: LabelSet; window: Window }>()
        let step = stepMs * Math.trunc(startMs / stepMs)
        if (step <= startMs) step += stepMs
        for (; step <= endMs; step += stepMs) {
          for (const { labels, value } of plan({ ...evaluation, nowMs: step })) {
            const entry = windows.get(labels.key) ?? { labels, window: new Window() }
            windows.set(labels.key, entry)
            entry.window.push(step, value)
          }
        }
        for (const { labels, window } of windows.values()) use(labels, window)
      },
    }
  }
}
