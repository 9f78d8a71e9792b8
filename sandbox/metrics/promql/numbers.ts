import { frexp, log } from './elementary.ts'

/** Arithmetic as Go's math package does it, where JavaScript's differs. */

/** A sum with Neumaier's compensation. Follows util/kahansum of Prometheus. */
export class CompensatedSum {
  sum: number
  compensation = 0

  constructor(start = 0) {
    this.sum = start
  }

  add(value: number): void {
    const total = this.sum + value
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) this.compensation = 0
    else if (Math.abs(this.sum) >= Math.abs(value)) this.compensation += this.sum - total + value
    else this.compensation += value - total + this.sum
    this.sum = total
  }

  get value(): number {
    return this.sum + this.compensation
  }
}

/** A mean that sums directly until that overflows, then incrementally. Follows avg and avg_over_time of promql/engine.go. */
export class Mean {
  private readonly total: CompensatedSum
  private count = 1
  private incremental = false

  constructor(first: number) {
    this.total = new CompensatedSum(first)
  }

  add(value: number): void {
    const { total } = this
    const count = ++this.count
    if (!this.incremental) {
      const { sum, compensation } = total
      total.add(value)
      if (Math.abs(total.sum) !== Number.POSITIVE_INFINITY) return
      this.incremental = true
      total.sum = sum / (count - 1)
      total.compensation = compensation / (count - 1)
    }
    const weight = (count - 1) / count
    total.sum *= weight
    total.compensation *= weight
    total.add(value / count)
  }

  get value(): number {
    const { sum, compensation } = this.total
    return this.incremental ? sum + compensation : sum / this.count + compensation / this.count
  }
}

/** fraction × 2^exponent; in steps, since 2^exponent alone may be too large or too small. */
function ldexp(fraction: number, exponent: number): number {
  let value = fraction
  let left = Math.max(-3000, Math.min(3000, exponent))
  for (; left > 1000; left -= 1000) value *= 2 ** 1000
  for (; left < -1000; left += 1000) value *= 2 ** -1000
  return value * 2 ** left
}

/** Follows math/pow.go: exact for what squaring gives exactly, and other than JavaScript's for 1 and −1. */
export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1
  if (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) return 1
  if (y === 1) return x
  if (x === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return x ** y
  if (y === 0.5) return Math.sqrt(x)
  if (y === -0.5) return 1 / Math.sqrt(x)
  let whole = Math.trunc(Math.abs(y))
  let part = Math.abs(y) - whole
  if ((part !== 0 && x < 0) || whole >= 2 ** 63) return x ** y
  let product = 1
  if (part !== 0) {
    if (part > 0.5) {
      part--
      whole++
    }
    product = Math.exp(part * log(x))
  }
  let exponent = 0
  let [square, power] = frexp(x)
  for (let bits = whole; bits !== 0; bits = Math.floor(bits / 2)) {
    if (Math.abs(power) > 4096) {
      exponent += power
      break
    }
    if (bits % 2 === 1) {
      product *= square
      exponent += power
    }
    square *= square
    power *= 2
    if (square < 0.5) {
      square += square
      power--
    }
  }
  return y < 0 ? ldexp(1 / product, -exponent) : ldexp(product, exponent)
}

/** An infinity wins over NaN, as in Go. */
export const max = (a: number, b: number): number =>
  a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(a, b)

export const min = (a: number, b: number): number =>
  a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : Math.min(a, b)

/** The shortest decimal that reads back as `value`, never with an exponent: Go's FormatFloat(value, 'f', -1, 64). */
export function formatPlain(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (!match) return text
  const [, sign, first, rest = '', power] = match
  const digits = first + rest
  const point = 1 + Number(power)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return sign + digits.padEnd(point, '0')
}
