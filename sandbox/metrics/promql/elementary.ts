/**
 * Logarithms and arc tangents by the approximations Go's math package uses, so that results are the same to the last bit. The
 * coefficients are those of FreeBSD's e_log.c and of the Cephes library.
 */

/** c0 + c1 x + c2 x² + …, evaluated from the highest power on. */
function polynomial(x: number, coefficients: readonly number[]): number {
  let sum = coefficients.at(-1)!
  for (let i = coefficients.length - 2; i >= 0; i--) sum = sum * x + coefficients[i]!
  return sum
}

/** `value` = fraction × 2^exponent, with 0.5 ≤ |fraction| < 1. */
export function frexp(value: number): [fraction: number, exponent: number] {
  if (value === 0 || !Number.isFinite(value)) return [value, 0]
  let exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(value))) + 1)
  let fraction = value * 2 ** -exponent
  for (; Math.abs(fraction) < 0.5; exponent--) fraction *= 2
  for (; Math.abs(fraction) >= 1; exponent++) fraction /= 2
  return [fraction, exponent]
}

const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const LOG_ODD = [0.6666666666666735, 0.2857142874366239, 0.1818357216161805, 0.14798198605116586]
const LOG_EVEN = [0.3999999999940942, 0.22222198432149784, 0.15313837699209373]

/** The natural logarithm. Follows math/log.go. */
export function log(value: number): number {
  if (!(value > 0) || value === Number.POSITIVE_INFINITY) return Math.log(value)
  let [fraction, exponent] = frexp(value)
  if (fraction < Math.SQRT1_2) {
    fraction *= 2
    exponent--
  }
  const f = fraction - 1
  const s = f / (2 + f)
  const s2 = s * s
  const s4 = s2 * s2
  const r = s2 * polynomial(s4, LOG_ODD) + s4 * polynomial(s4, LOG_EVEN)
  const half = 0.5 * f * f
  return exponent * LN2_HIGH - (half - (s * (half + r) + exponent * LN2_LOW) - f)
}

/** Exact for powers of two. Follows math/log10.go. */
export function log2(value: number): number {
  if (!(value > 0) || value === Number.POSITIVE_INFINITY) return Math.log2(value)
  const [fraction, exponent] = frexp(value)
  return fraction === 0.5 ? exponent - 1 : log(fraction) * Math.LOG2E + exponent
}

export const log10 = (value: number): number => log(value) * Math.LOG10E

const ATAN_P = [-64.85021904942025, -122.88666844901361, -75.00855792314705, -16.157537187333652, -0.8750608600031904]
const ATAN_Q = [194.5506571482614, 485.3903996359137, 432.88106049129027, 165.02700983169885, 24.858464901423062, 1]
const TAN_3_PI_8 = 2.414213562373095
/** What π/2 has more than a double can hold. */
const HALF_PI_REST = 6.123233995736766e-17

/** Follows math/atan.go. */
export function atan(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x
  return x > 0 ? positiveAtan(x) : -positiveAtan(-x)
}

function positiveAtan(x: number): number {
  if (x <= 0.66) return smallAtan(x)
  if (x > TAN_3_PI_8) return Math.PI / 2 - smallAtan(1 / x) + HALF_PI_REST
  return Math.PI / 4 + smallAtan((x - 1) / (x + 1)) + 0.5 * HALF_PI_REST
}

function smallAtan(x: number): number {
  const square = x * x
  return x * ((square * polynomial(square, ATAN_P)) / polynomial(square, ATAN_Q)) + x
}

/** Follows math/atan2.go. */
export function atan2(y: number, x: number): number {
  if (y === 0 || x === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return Math.atan2(y, x)
  const quotient = atan(y / x)
  if (x > 0) return quotient
  return quotient <= 0 ? quotient + Math.PI : quotient - Math.PI
}
