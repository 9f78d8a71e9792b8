import { WireError } from '../errors.ts'
import { isDict, isList, PyFloat, type PyValue } from './value.ts'

/** A TypeError that reaches vLLM's handlers: a refusal. */
export const typeError = (message: string): WireError => new WireError(400, 'BadRequestError', message)

/** An exception nobody expects, of which only its text is told: `str(error)`. */
export const uncaught = (message: string): WireError =>
  new WireError(500, 'InternalServerError', message, null, { unhandled: true })

/** `value.get(…)` on what is no dict. */
export const attributeError = (value: PyValue, attribute: string): WireError =>
  uncaught(`'${typeName(value)}' object has no attribute '${attribute}'`)

/** What `for … in value` goes over: items of a list, keys of a dict, letters of a text. Throws a TypeError's answer for the rest. */
export function iterate(value: PyValue): readonly PyValue[] {
  if (isList(value)) return value
  if (isDict(value)) return [...value.keys()]
  if (typeof value === 'string') return [...value]
  throw typeError(`'${typeName(value)}' object is not iterable`)
}

/** `value[key]`. */
export function subscript(value: PyValue, key: string): PyValue {
  if (isDict(value)) {
    const found = value.get(key)
    if (found === undefined) throw uncaught(`'${key}'`)
    return found
  }
  if (typeof value === 'string') throw typeError("string indices must be integers, not 'str'")
  if (isList(value)) throw typeError('list indices must be integers or slices, not str')
  throw typeError(`'${typeName(value)}' object is not subscriptable`)
}

/** `type(value).__name__`. */
export function typeName(value: PyValue): string {
  if (value === null) return 'NoneType'
  if (value instanceof PyFloat) return 'float'
  if (isDict(value)) return 'dict'
  if (isList(value)) return 'list'
  return typeof value === 'string' ? 'str' : typeof value === 'boolean' ? 'bool' : 'int'
}

/** A number in comparisons: booleans are 0 and 1. Undefined: no number. */
export function numeric(value: PyValue | undefined): number | bigint | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof PyFloat) return value.value
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
}
