import { isDict, isList, PyFloat, type PyValue, toPlain } from '../../python/value.ts'

/** JSON as it came: a text, values of Python, or plain ones. */
export const plainJson = (value: unknown): unknown =>
  isDict(value) || isList(value) ? toPlain(value as PyValue) : value

/** Plain JSON as Python has it. */
export function asPython(value: unknown): PyValue {
  if (Array.isArray(value)) return value.map(asPython)
  if (typeof value === 'number') return Number.isInteger(value) ? value : new PyFloat(value)
  if (value !== null && typeof value === 'object')
    return new Map(Object.entries(value).map(([key, each]) => [key, asPython(each)]))
  return value as PyValue
}
