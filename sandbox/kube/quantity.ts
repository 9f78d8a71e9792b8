/**
 * Kubernetes quantities: `500m`, `1.5Gi`, `12e6`. Exact to a billionth, which is as fine as upstream keeps them.
 * Follows k8s.io/apimachinery/pkg/api/resource/quantity.go.
 */
export interface Quantity {
  /** Billionths. */
  readonly nanos: bigint
  /** How it is written. */
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent'
  /** As it was given, where upstream takes that for the canonical form: `1.500`, `1E6`. */
  readonly text?: string
}

/** Not a quantity. The message is upstream's. */
export class QuantityError extends Error {
  readonly code = 'quantity'
  constructor(message: string) {
    super(message)
    this.name = 'QuantityError'
  }
}

const NANO = 1_000_000_000n
const MAX_INT64 = 2n ** 63n - 1n
const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const NUMERIC_WRONG = 'unable to parse numeric part of quantity'
const SUFFIX_WRONG = "unable to parse quantity's suffix"

const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const DECIMAL_SUFFIX = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]))

/** Beyond this no quantity means anything, and its digits would fill memory. */
const EXPONENT_MAX = 400

const parsed = new Map<string, Quantity>()
const PARSED_MAX = 10_000

/** Parses a quantity; digits below a billionth are rounded up. Throws a QuantityError. */
export function parseQuantity(text: string): Quantity {
  const known = parsed.get(text)
  if (known) return known
  const quantity = parse(text)
  if (parsed.size >= PARSED_MAX) parsed.clear()
  parsed.set(text, quantity)
  return quantity
}

/** The whole value, rounded away from zero. Exact up to 2^53, enough for 8 PiB. */
export const wholeValueOf = (quantity: Quantity): number => Number(ceilDiv(quantity.nanos, NANO))

/** The value in thousandths, rounded away from zero: millicores of a cpu quantity. */
export const milliValueOf = (quantity: Quantity): number => Number(ceilDiv(quantity.nanos, 1_000_000n))

/** Less than, equal to or greater than 0, as `a` is to `b`. */
export const compareQuantities = (a: Quantity, b: Quantity): number =>
  a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0

/** The sum, written as `a` is (as `b` when `a` is zero, as upstream does). */
export const addQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nanos: a.nanos + b.nanos,
  format: a.nanos === 0n ? b.format : a.format,
})

/** The shortest exact form with a mantissa without a fraction, or what was given, as the API server writes it. */
export function formatQuantity({ nanos, format, text }: Quantity): string {
  if (text !== undefined) return text
  if (nanos === 0n) return '0'
  const small = nanos > -1024n * NANO && nanos < 1024n * NANO
  if (format === 'BinarySI' && !small && nanos % NANO === 0n) return formatBinary(nanos / NANO)
  return formatDecimal(nanos, format === 'DecimalExponent')
}

function parse(text: string): Quantity {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text)
  if (!match || text === '') throw new QuantityError(FORMAT_WRONG)
  const [, sign, whole = '', fraction = '', suffix = ''] = match
  // a suffix alone is zero to upstream, but for the two largest
  if (whole === '' && fraction === '' && (suffix === 'Pi' || suffix === 'Ei')) throw new QuantityError(NUMERIC_WRONG)
  const digits = BigInt(`${whole}${fraction}` || '0')
  const binary = BINARY.indexOf(suffix)
  let nanos: bigint
  let format: Quantity['format']
  if (binary >= 0) {
    nanos = scaled(digits * 1024n ** BigInt(binary + 1), 9 - fraction.length)
    if (nanos > MAX_INT64 * NANO) nanos = MAX_INT64 * NANO
    format = nanos > 0n && nanos < NANO ? 'DecimalSI' : 'BinarySI'
  } else {
    const decimal = Object.hasOwn(DECIMAL, suffix) ? DECIMAL[suffix] : undefined
    const exponent = decimal ?? exponentOf(suffix)
    nanos = scaled(digits, 9 - fraction.length + exponent)
    format = decimal === undefined ? 'DecimalExponent' : 'DecimalSI'
  }
  const quantity = { nanos: sign === '-' ? -nanos : nanos, format }
  return Object.freeze(isKept(whole, fraction, suffix) ? { ...quantity, text } : quantity)
}

const DIGITS_MAX = 18

/** Whether upstream's fast path takes the text for canonical, and keeps it. */
function isKept(whole: string, fraction: string, suffix: string): boolean {
  const significant = whole.replace(/^0+(?=\d)/, '')
  const digits = significant + fraction
  const power = BINARY.indexOf(suffix) + 1
  if (power > 0) {
    const fits = fraction === '' && 15 - significant.length - 3 * power - 1 >= 0
    return fits && BigInt(digits) % 8n !== 0n
  }
  const scale = (DECIMAL[suffix] ?? exponentOf(suffix)) - fraction.length
  const fits = digits.length <= DIGITS_MAX && scale >= -9
  return fits && scale % 3 === 0 && digits !== '' && !digits.endsWith('000') && digits[0] !== '0'
}

function exponentOf(suffix: string): number {
  if (!/^[eE][+-]?\d+$/.test(suffix)) throw new QuantityError(SUFFIX_WRONG)
  const exponent = Number(suffix.slice(1))
  if (exponent > EXPONENT_MAX) throw new QuantityError(NUMERIC_WRONG)
  return Math.max(exponent, -EXPONENT_MAX)
}

/** `digits` × 10^exponent, rounded up. */
function scaled(digits: bigint, exponent: number): bigint {
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : ceilDiv(digits, 10n ** BigInt(-exponent))
}

/** Rounds away from zero. */
function ceilDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  if (a % b === 0n) return quotient
  return a > 0n ? quotient + 1n : quotient - 1n
}

function formatBinary(value: bigint): string {
  let mantissa = value
  let power = 0
  while (mantissa % 1024n === 0n && power < BINARY.length) {
    mantissa /= 1024n
    power++
  }
  return power === 0 ? String(mantissa) : `${mantissa}${BINARY[power - 1]}`
}

function formatDecimal(nanos: bigint, exponential: boolean): string {
  let mantissa = nanos
  let exponent = -9
  while (mantissa % 1000n === 0n) {
    mantissa /= 1000n
    exponent += 3
  }
  // beyond exa upstream knows no suffix and writes none
  if (!exponential) return `${mantissa}${DECIMAL_SUFFIX.get(exponent) ?? ''}`
  return exponent === 0 ? String(mantissa) : `${mantissa}e${exponent}`
}
