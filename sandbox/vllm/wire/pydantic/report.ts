import { WireError } from '../errors.ts'
import { pyRepr, pyStr } from '../python/text.ts'
import { isDict, isList, type PyValue } from '../python/value.ts'
import type { LineError } from './outcome.ts'

/** The answer to a request whose fields are wrong. `where` is what errors stand in: `body`, or `query`. */
// follows vllm/entrypoints/serve/exception_handling/handlers/validation.py
export function validationError(errors: readonly LineError[], where: string): WireError {
  const count = errors.length
  const label = count === 1 ? 'error' : 'errors'
  const shown = errors.slice(0, MOST).map((error) => `  ${line(error, where)}\n`)
  const more = count > MOST ? `  ...and ${count - MOST} more ${label}\n` : ''
  const message = `${count} validation ${label}:\n${shown.join('')}${more}`.trimEnd()
  const [first] = errors
  return new WireError(400, 'Bad Request', message, first === undefined ? null : location([where, ...first.loc]))
}

const MOST = 10
const LONGEST_INPUT = 200
const LONGEST_LINE = 1000

function line({ type, loc, message, input, context }: LineError, where: string): string {
  const parts = [
    `'type': ${pyRepr(type)}`,
    `'loc': ${pyRepr(location([where, ...loc]))}`,
    `'msg': ${pyRepr(message)}`,
    `'input': ${pyRepr(summary(input))}`,
    ...(context === undefined ? [] : [`'ctx': {${context.map(([key, repr]) => `'${key}': ${repr}`).join(', ')}}`]),
  ]
  return cut(`{${parts.join(', ')}}`, LONGEST_LINE)
}

function summary(input: PyValue): string {
  if (isDict(input)) return `<dict of ${input.size} items>`
  if (isList(input)) return `<list of ${input.length} items>`
  return cut(pyStr(input), LONGEST_INPUT)
}

function cut(text: string, longest: number): string {
  const chars = text.length > longest ? [...text] : []
  return chars.length > longest ? `${chars.slice(0, longest).join('')}...[truncated]` : text
}

/** Names of validators that stand between fields, and mean nothing to users. */
const INTERNAL = new Set([
  'function-wrap',
  'function-after',
  'function-before',
  'function-plain',
  'json-or-python',
  'lax-or-strict',
  'chain',
  'default',
  'nullable',
  'tagged-union',
  'union',
  'call',
  'arguments',
  'is-instance',
  'is-subclass',
  'callable',
  'str',
  'int',
  'float',
  'bool',
  'bytes',
  'bytearray',
  'list',
  'tuple',
  'dict',
  'set',
  'frozenset',
  'complex',
  'none',
  'nonetype',
])

function location(loc: readonly (string | number)[]): string {
  const segments = loc.map(String)
  const named = segments.filter((segment) => !/[[\]{}()]/.test(segment) && !INTERNAL.has(segment.toLowerCase()))
  return (named.length > 0 ? named : segments).join('.')
}
