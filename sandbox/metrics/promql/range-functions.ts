import { CompensatedSum, Mean } from './numbers.ts'
import { quantile } from './quantile.ts'
import type { Window } from './window.ts'

/** What a function over a range knows besides the samples. Times are Unix milliseconds. */
export interface RangeCall {
  readonly startMs: number
  readonly endMs: number
  /** The evaluation's time: `endMs` without offset and `@`. */
  readonly nowMs: number
  readonly rangeSeconds: number
  /** The scalar argument, of the two functions that have one. */
  readonly scalar: number
}

/** The value for one series; undefined leaves the series out. Windows have at least one sample. */
export type RangeFunction = (window: Window, call: RangeCall) => number | undefined

/** Follows extrapolatedRate of promql/functions.go. */
function extrapolated(isCounter: boolean, isRate: boolean): RangeFunction {
  return ({ length, times, values }, { startMs, endMs, rangeSeconds }) => {
    if (length < 2) return undefined
    const [first, last] = [values[0]!, values[length - 1]!]
    let result = last - first
    if (isCounter) for (let i = 1; i < length; i++) if (values[i]! < values[i - 1]!) result += values[i - 1]!
    let toStart = (times[0]! - startMs) / 1000
    let toEnd = (endMs - times[length - 1]!) / 1000
    const sampled = (times[length - 1]! - times[0]!) / 1000
    const average = sampled / (length - 1)
    const threshold = average * 1.1
    if (toStart >= threshold) toStart = average / 2
    if (isCounter) {
      const toZero = result > 0 && first >= 0 ? sampled * (first / result) : toStart
      if (toZero < toStart) toStart = toZero
    }
    if (toEnd >= threshold) toEnd = average / 2
    let factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled
    if (isRate) factor /= rangeSeconds
    return result * factor
  }
}

/** irate and idelta: between the last two samples. Follows instantValue of promql/functions.go. */
function instantaneous(isRate: boolean): RangeFunction {
  return ({ length, times, values }) => {
    if (length < 2) return undefined
    const [before, last] = [values[length - 2]!, values[length - 1]!]
    const interval = times[length - 1]! - times[length - 2]!
    if (interval === 0) return undefined
    const change = isRate && last < before ? last : last - before
    return isRate ? change / (interval / 1000) : change
  }
}

/** Least squares, the intercept at `originMs`. Follows linearRegression of promql/functions.go. */
function regression({ length, times, values }: Window, originMs: number): { slope: number; intercept: number } {
  const [sumX, sumY, sumXY, sumX2] = [0, 0, 0, 0].map((zero) => new CompensatedSum(zero)) as [
    CompensatedSum,
    CompensatedSum,
    CompensatedSum,
    CompensatedSum,
  ]
  const firstY = values[0]!
  let constant = true
  for (let i = 0; i < length; i++) {
    const [x, y] = [(times[i]! - originMs) / 1e3, values[i]!]
    if (i > 0 && y !== firstY) constant = false
    sumX.add(x)
    sumY.add(y)
    sumXY.add(x * y)
    sumX2.add(x * x)
  }
  if (constant && Math.abs(firstY) === Number.POSITIVE_INFINITY) return { slope: Number.NaN, intercept: Number.NaN }
  if (constant) return { slope: 0, intercept: firstY }
  const covariance = sumXY.value - (sumX.value * sumY.value) / length
  const variance = sumX2.value - (sumX.value * sumX.value) / length
  const slope = covariance / variance
  return { slope, intercept: sumY.value / length - (slope * sumX.value) / length }
}

function variance({ length, values }: Window): number {
  const mean = new CompensatedSum()
  const squares = new CompensatedSum()
  for (let i = 0; i < length; i++) {
    const delta = values[i]! - mean.value
    mean.add(delta / (i + 1))
    squares.add(delta * (values[i]! - mean.value))
  }
  return squares.value / length
}

/** How many neighbours differ as `differ` says. */
function countSteps({ length, values }: Window, differ: (before: number, after: number) => boolean): number {
  let count = 0
  for (let i = 1; i < length; i++) if (differ(values[i - 1]!, values[i]!)) count++
  return count
}

/** The sample that no other beats; any number beats NaN. */
function best({ length, values }: Window, beats: (value: number, champion: number) => boolean): number {
  let champion = values[0]!
  for (let i = 1; i < length; i++) if (beats(values[i]!, champion) || Number.isNaN(champion)) champion = values[i]!
  return champion
}

function sum({ length, values }: Window): number {
  const total = new CompensatedSum()
  for (let i = 0; i < length; i++) total.add(values[i]!)
  return Math.abs(total.sum) === Number.POSITIVE_INFINITY ? total.sum : total.value
}

function average({ length, values }: Window): number {
  const mean = new Mean(values[0]!)
  for (let i = 1; i < length; i++) mean.add(values[i]!)
  return mean.value
}

export const RANGE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  rate: extrapolated(true, true),
  increase: extrapolated(true, false),
  delta: extrapolated(false, false),
  irate: instantaneous(true),
  idelta: instantaneous(false),
  deriv: (window) => (window.length < 2 ? undefined : regression(window, window.times[0]!).slope),
  predict_linear: (window, { nowMs, scalar }) => {
    if (window.length < 2) return undefined
    const { slope, intercept } = regression(window, nowMs)
    return slope * scalar + intercept
  },
  changes: (window) => countSteps(window, (a, b) => a !== b && !(Number.isNaN(a) && Number.isNaN(b))),
  resets: (window) => countSteps(window, (a, b) => b < a),
  avg_over_time: average,
  sum_over_time: sum,
  count_over_time: ({ length }) => length,
  min_over_time: (window) => best(window, (a, b) => a < b),
  max_over_time: (window) => best(window, (a, b) => a > b),
  first_over_time: ({ values }) => values[0]!,
  last_over_time: ({ length, values }) => values[length - 1]!,
  present_over_time: () => 1,
  absent_over_time: () => 1,
  stdvar_over_time: variance,
  stddev_over_time: (window) => Math.sqrt(variance(window)),
  quantile_over_time: ({ length, values }, { scalar }) => quantile(scalar, Array.from(values.subarray(0, length))),
}

/** Functions that give a sample of the series as it is, so that it keeps its name. */
export const KEEPS_NAME: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time'])
