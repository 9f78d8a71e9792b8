import { log2, log10, max, min } from './numbers.ts'

/** A function of each element's value and of scalar arguments; the result loses its name. Follows promql/functions.go. */
export type InstantFunction = (value: number, args: readonly number[]) => number

export const INSTANT_FUNCTIONS: Readonly<Record<string, InstantFunction>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  ln: Math.log,
  log2,
  log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
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
  minute: (seconds) => mod(Math.floor(seconds / 60), 60),
  hour: (seconds) => mod(Math.floor(seconds / 3600), 24),
  day_of_week: (seconds) => mod(Math.floor(seconds / 86400) + 4, 7),
  day_of_month: (seconds) => civil(seconds).day,
  day_of_year: (seconds) => dayNumber(seconds) - daysBefore(civil(seconds).year, 1) + 1,
  days_in_month: (seconds) => {
    const { year, month } = civil(seconds)
    return (month === 12 ? daysBefore(year + 1, 1) : daysBefore(year, month + 1)) - daysBefore(year, month)
  },
  month: (seconds) => civil(seconds).month,
  year: (seconds) => civil(seconds).year,
}

const mod = (a: number, b: number): number => ((a % b) + b) % b
const dayNumber = (seconds: number): number => Math.floor(seconds / 86400)

/** The Gregorian date of a time, without the bounds of JavaScript's Date. */
function civil(seconds: number): { year: number; month: number; day: number } {
  const shifted = dayNumber(seconds) + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

/** Days from 1970-01-01 to the first of a month. */
function daysBefore(year: number, month: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5)
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468
}
