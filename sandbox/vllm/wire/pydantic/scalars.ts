import { characters } from '../python/json-scanner.ts'
import type { PyValue } from '../python/value.ts'
import { type Outcome, refuse, type Schema } from './outcome.ts'

export interface TextLimits {
  readonly minLength?: number
  readonly maxLength?: number
}

/** Text; nothing else is taken as such. */
export function str(limits: TextLimits = {}): Schema {
  const limited = limits.minLength !== undefined || limits.maxLength !== undefined
  return {
    name: limited ? 'constrained-str' : 'str',
    check: (input) => {
      if (typeof input !== 'string') return refuse('string_type', 'Input should be a valid string', input)
      return limited ? withinLength(input, limits) : input
    },
  }
}

/** Bytes; of JSON, any text. */
export const bytes: Schema = {
  name: 'bytes',
  check: (input, state) => {
    state.floor(0)
    return typeof input === 'string' ? input : refuse('bytes_type', 'Input should be a valid bytes', input)
  },
}

export const anything: Schema = { name: 'any', check: (input) => input }

/** One of some words. */
export function literal(...words: readonly string[]): Schema {
  const quoted = words.map((word) => `'${word}'`)
  const expected = listed(quoted)
  return {
    name: `literal[${quoted.join(',')}]`,
    check: (input) =>
      typeof input === 'string' && words.includes(input)
        ? input
        : refuse('literal_error', `Input should be ${expected}`, input, [['expected', `"${expected}"`]]),
  }
}

/** A member of an enumeration: as a literal, with an error of its own. */
export function member(...words: readonly string[]): Schema {
  const expected = listed(words.map((word) => `'${word}'`))
  return {
    name: 'enum',
    check: (input) =>
      typeof input === 'string' && words.includes(input)
        ? input
        : refuse('enum', `Input should be ${expected}`, input, [['expected', `"${expected}"`]]),
  }
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`

function withinLength(input: string, { minLength, maxLength }: TextLimits): Outcome {
  const length = characters(input)
  if (minLength !== undefined && length < minLength)
    return refuse('string_too_short', `String should have at least ${counted(minLength)}`, input, [
      ['min_length', String(minLength)],
    ])
  if (maxLength !== undefined && length > maxLength)
    return refuse('string_too_long', `String should have at most ${counted(maxLength)}`, input, [
      ['max_length', String(maxLength)],
    ])
  return input
}

const counted = (count: number): string => `${count} character${count === 1 ? '' : 's'}`

/** A value that a validator of the request model itself looks at first. It may throw, or change the value. */
export const before = (look: (input: PyValue) => PyValue, schema: Schema): Schema => ({
  name: `function-before[${look.name}(), ${schema.name}]`,
  check: (input, state) => schema.check(look(input), state),
})
