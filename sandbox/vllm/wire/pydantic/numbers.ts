import { floatRepr } from '../python/text.ts'
import { isInt, PyFloat, type PyInt, type PyValue, pyInt } from '../python/value.ts'
import { LAX, type Outcome, refuse, type Schema, STRICT, type State } from './outcome.ts'

export interface IntLimits {
  readonly ge?: bigint
  readonly le?: bigint
}

/** An int: whole floats, text of digits and booleans are taken as such. */
// follows pydantic-core/src/input/shared.rs and validators/int.rs
export function int(limits: IntLimits = {}): Schema {
  const limited = limits.ge !== undefined || limits.le !== undefined
  return {
    name: limited ? 'constrained-int' : 'int',
    check: (input, state) => {
      const value = intOf(input, state)
      return isInt(value) ? within(value, limits, input) : value
    },
  }
}

/** A float: ints, text of numbers and booleans are taken as such. */
export const float: Schema = { name: 'float', check: floatOf }

/** A float between limits. */
export const floatWithin = ({ ge, le }: { readonly ge?: number; readonly le?: number }): Schema => ({
  name: 'constrained-float',
  check: (input, state) => {
    const value = floatOf(input, state)
    if (!(value instanceof PyFloat)) return value
    if (le !== undefined && !(value.value <= le))
      return refuse('less_than_equal', `Input should be less than or equal to ${le}`, input, [['le', floatRepr(le)]])
    if (ge !== undefined && !(value.value >= ge))
      return refuse('greater_than_equal', `Input should be greater than or equal to ${ge}`, input, [
        ['ge', floatRepr(ge)],
      ])
    return value
  },
})

/** A boolean: 0 and 1, and a few words of any case, are taken as such. */
export const bool: Schema = { name: 'bool', check: boolOf }

const INT64: IntLimits = { ge: -(2n ** 63n), le: 2n ** 63n - 1n }
export const int64 = int(INT64)

function within(value: PyInt, { ge, le }: IntLimits, input: PyValue): Outcome {
  if (le !== undefined && value > le)
    return refuse('less_than_equal', `Input should be less than or equal to ${le}`, input, [['le', String(le)]])
  if (ge !== undefined && value < ge)
    return refuse('greater_than_equal', `Input should be greater than or equal to ${ge}`, input, [['ge', String(ge)]])
  return value
}

function intOf(input: PyValue, state: State): Outcome {
  if (isInt(input)) return input
  state.floor(LAX)
  if (typeof input === 'boolean') return input ? 1 : 0
  if (typeof input === 'string') return intOfText(input)
  if (!(input instanceof PyFloat)) return refuse('int_type', 'Input should be a valid integer', input)
  const { value } = input
  if (!Number.isFinite(value)) return refuse('finite_number', 'Input should be a finite number', input)
  if (!Number.isInteger(value))
    return refuse('int_from_float', 'Input should be a valid integer, got a number with a fractional part', input)
  return Math.abs(value) < 2 ** 63 ? pyInt(BigInt(value)) : tooLong(input)
}

const tooLong = (input: PyValue): Outcome =>
  refuse('int_parsing_size', 'Unable to parse input string as an integer, exceeded maximum size', input)

const INT_TEXT = /^[+-]?[0-9]+(?:_[0-9]+)*(?:\.0+)?$/
const LONGEST_INT_TEXT = 4300

/** Text that is read as something else must be Unicode: no half of a surrogate pair. */
const noUnicode = (input: string): Outcome =>
  refuse('string_unicode', 'Input should be a valid string, unable to parse raw data as a unicode string', input)

function intOfText(input: string): Outcome {
  if (!input.isWellFormed()) return noUnicode(input)
  const text = trim(input)
  if (text.length > LONGEST_INT_TEXT) return tooLong(input)
  if (!INT_TEXT.test(text))
    return refuse('int_parsing', 'Input should be a valid integer, unable to parse string as an integer', input)
  const digits = text.replace(/\..*$/, '').replaceAll('_', '')
  return pyInt(digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits.replace('+', '')))
}

function floatOf(input: PyValue, state: State): Outcome {
  if (input instanceof PyFloat) return input
  if (isInt(input)) {
    state.floor(STRICT)
    const value = Number(input)
    if (Number.isFinite(value)) return new PyFloat(value)
  }
  state.floor(LAX)
  if (typeof input === 'boolean') return new PyFloat(input ? 1 : 0)
  if (typeof input === 'string') return floatOfText(input)
  return refuse('float_type', 'Input should be a valid number', input)
}

const FLOAT_TEXT = /^([+-]?)(?:(inf(?:inity)?)|(nan)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?))$/i

function floatOfText(input: string): Outcome {
  if (!input.isWellFormed()) return noUnicode(input)
  const text = trim(input)
  const bare = /^_|_$|__/.test(text) ? text : text.replaceAll('_', '')
  const match = FLOAT_TEXT.exec(bare)
  if (match === null)
    return refuse('float_parsing', 'Input should be a valid number, unable to parse string as a number', input)
  const [, sign, infinite, nan] = match
  if (nan !== undefined) return new PyFloat(Number.NaN)
  const size = infinite === undefined ? Number(bare.replace(/^[+-]/, '')) : Number.POSITIVE_INFINITY
  return new PyFloat(sign === '-' ? -size : size)
}

const TRUE = new Set(['1', 't', 'y', 'on', 'yes', 'true'])
const FALSE = new Set(['0', 'f', 'n', 'no', 'off', 'false'])

function boolOf(input: PyValue, state: State): Outcome {
  if (typeof input === 'boolean') return input
  state.floor(LAX)
  if (typeof input === 'string' && !input.isWellFormed()) return noUnicode(input)
  const word = boolWord(input)
  if (word === undefined) return refuse('bool_type', 'Input should be a valid boolean', input)
  if (TRUE.has(word)) return true
  if (FALSE.has(word)) return false
  return refuse('bool_parsing', 'Input should be a valid boolean, unable to interpret input', input)
}

/** What is read as a boolean: text, and whole numbers of 64 bits. */
function boolWord(input: PyValue): string | undefined {
  if (typeof input === 'string') return input.toLowerCase()
  if (typeof input === 'number') return String(input)
  if (typeof input === 'bigint') return BigInt.asIntN(64, input) === input ? String(input) : undefined
  if (!(input instanceof PyFloat) || !Number.isInteger(input.value)) return undefined
  return Math.abs(input.value) < 2 ** 63 ? String(input.value + 0) : undefined
}

/** Python's white space is JavaScript's and four separators more; a byte order mark is none. */
const trim = (text: string): string =>
  text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, (space) => (space.includes('\ufeff') ? space : ''))
