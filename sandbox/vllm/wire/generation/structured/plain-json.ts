import { isDict, isList, type PyValue, toPlain } from '../../python/value.ts'

/** JSON as it came: a text, values of Python, or plain ones. */
export const plainJson = (value: unknown): unknown =>
  isDict(value) || isList(value) ? toPlain(value as PyValue) : value
