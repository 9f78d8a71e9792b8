import { atan, log, log2, log10 } from './elementary.ts'
import { max, min } from './numbers.ts'

/** A function of each element's value and of scalar arguments; the result loses its name. Follows promql/functions.go. */
export type InstantFunction = (value: number, args: readonly number[]) => number

export const INSTANT_FUNCTIONS: Readonly<Record<string, InstantFunction>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  ln: log,
  log2,
  log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  rad: (value) => value * (Math.PI / 180),
  deg: (value) => value * (180 / Math.PI),
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
  clamp: (value, [low, high]) => max(low!, min(high!, value)),
  clamp_max: (value, [high]) => max(Number.NEGATIVE_INFINITY, min(high!, value)),
  clamp_min: (value, [low]) => max(low!, min(Number.POSITIVE_INFINITY, value)),
  round: (value, [nearest = 1]) => {
    const inverse = 1 / nearest
    return Math.floor(value * inverse + 0.5) / inverse
  },
}

/** A function of a time in Unix seconds, of UTC. */
export const DATE_FUNCTIONS: Readonly<Record<string, (seconds: number) => number>> = {
  minute: (seconds) => Math.floor(within(seconds) / 60) % 60,
  hour: (seconds) => Math.floor(within(seconds) / 3600) % 24,
  day_of_week: (seconds) => (dayNumber(seconds) + 4) % 7,
  day_of_month: (seconds) => civil(seconds).day,
  day_of_year: (seconds) => dayNumber(seconds) - daysBefore(civil(seconds).year, 1) + 1,
  days_in_month: (seconds) => {
    const { year, month } = civil(seconds)
    return (month === 12 ? daysBefore(year + 1, 1) : daysBefore(year, month + 1)) - daysBefore(year, month)
  },
  month: (seconds) => civil(seconds).month,
  year: (seconds) => civil(seconds).year + 400 * Math.round((whole(seconds) - within(seconds)) / CYCLE_SECONDS),
}

/** The calendar repeats after 400 years, which are whole weeks. */
const CYCLE_SECONDS = 146097 * 86400

/** Whole seconds as Go on amd64 has them: what no int64 holds, NaN too, wraps around to 2^63 s. */
const whole = (seconds: number): number => (Math.abs(seconds) < 2 ** 63 ? Math.trunc(seconds) : 2 ** 63)

/** Seconds since the beginning of the 400 years, of which 1970 is the first, that hold the time. */
const within = (seconds: number): number => ((whole(seconds) % CYCLE_SECONDS) + CYCLE_SECONDS) % CYCLE_SECONDS
const dayNumber = (seconds: number): number => Math.floor(within(seconds) / 86400)

/** The Gregorian date of a time, as if in the 400 years from 1970. */
function civil(seconds: number): { year: number; month: number; day: number } {
  const date = new Date(within(seconds) * 1000)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}

/** Days from 1970-01-01 to the first of a month. */
const daysBefore = (year: number, month: number): number => Date.UTC(year, month - 1, 1) / 86400e3
