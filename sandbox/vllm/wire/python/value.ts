/** A float of Python. Ints are `number` while safe, else `bigint`; so 1 and 1.0 stay apart. */
export class PyFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

export type PyInt = number | bigint
export type PyList = readonly PyValue[]
/** A dict in the order of its keys. */
export type PyDict = ReadonlyMap<string, PyValue>
/** What Python's `json.loads` gives: None, bool, int, float, str, list, dict. */
export type PyValue = null | boolean | number | bigint | PyFloat | string | PyList | PyDict

export const isDict = (value: unknown): value is PyDict => value instanceof Map
export const isList = (value: unknown): value is PyList => Array.isArray(value)
export const isInt = (value: unknown): value is PyInt => typeof value === 'number' || typeof value === 'bigint'

/** An int as a number where that is exact. */
export const pyInt = (value: bigint): PyInt =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

/** Python's `bool(value)`. Undefined is an absent key. */
export function truthy(value: PyValue | undefined): boolean {
  if (value === undefined || value === null) return false
  if (value instanceof PyFloat) return value.value !== 0
  if (isDict(value)) return value.size > 0
  if (isList(value)) return value.length > 0
  return typeof value === 'boolean' ? value : typeof value === 'string' ? value !== '' : Number(value) !== 0
}

/** Plain JavaScript of a value: objects for dicts, numbers for ints and floats. Ints beyond 2^53 lose their last digits. */
export function toPlain(value: PyValue): unknown {
  if (value instanceof PyFloat) return value.value
  if (typeof value === 'bigint') return Number(value)
  if (isDict(value)) return Object.fromEntries([...value].map(([key, item]) => [key, toPlain(item)]))
  return isList(value) ? value.map(toPlain) : value
}
