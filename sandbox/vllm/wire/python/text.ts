import { isDict, isList, PyFloat, type PyValue } from './value.ts'

/** Python's `str(value)`. */
export const pyStr = (value: PyValue): string => (typeof value === 'string' ? value : pyRepr(value))

/** Python's `repr(value)`. */
export function pyRepr(value: PyValue): string {
  if (value === null) return 'None'
  if (value instanceof PyFloat) return floatRepr(value.value)
  if (typeof value === 'string') return stringRepr(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (isDict(value)) return `{${[...value].map(([key, item]) => `${stringRepr(key)}: ${pyRepr(item)}`).join(', ')}}`
  if (isList(value)) return `[${value.map(pyRepr).join(', ')}]`
  return String(value)
}

/** A float as Python prints it: `1.0`, `1e-05`, `1e+16`, `inf`, `nan`. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const { sign, digits, exponent } = decimal(value)
  if (exponent < -4 || exponent >= 16) return `${sign}${scientific(digits, exponent, 2, '+')}`
  return sign + positional(digits, exponent)
}

/** A float as pydantic writes it into JSON: as Python, but small ones down to 1e-5 in full and exponents without zeros; null for none. */
// follows pydantic-core's serde_json/ryu writer
export function pydanticFloat(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  const { sign, digits, exponent } = decimal(value)
  if (exponent < -5 || exponent >= 16) return `${sign}${scientific(digits, exponent, 1, '+')}`
  return sign + positional(digits, exponent)
}

/** The shortest digits that mean the value, and the power of ten of the first of them. */
function decimal(value: number): { sign: string; digits: string; exponent: number } {
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const [mantissa = '0', exponent = '0'] = Math.abs(value).toExponential().split('e')
  return { sign, digits: mantissa.replace('.', ''), exponent: Number(exponent) }
}

function scientific(digits: string, exponent: number, width: number, plus: string): string {
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits
  const power = String(Math.abs(exponent)).padStart(width, '0')
  return `${mantissa}e${exponent < 0 ? '-' : plus}${power}`
}

function positional(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${whole}.${digits.slice(exponent + 1) || '0'}`
}

const SHORT: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const ODD = /[\\'"]|[^\u0020-\u007e]/u
const UNPRINTABLE = /^(?! )[\p{C}\p{Z}]$/u

function stringRepr(text: string): string {
  if (!ODD.test(text)) return `'${text}'`
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  let shown = ''
  for (const char of text) {
    if (char === quote) shown += `\\${char}`
    else if (SHORT[char] !== undefined) shown += SHORT[char]
    else shown += UNPRINTABLE.test(char) ? escapeOf(char.codePointAt(0) as number) : char
  }
  return `${quote}${shown}${quote}`
}

function escapeOf(point: number): string {
  const hex = point.toString(16)
  if (point <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return point <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
