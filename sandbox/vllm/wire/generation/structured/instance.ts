import type { PyValue } from '../../python/value.ts'
import { mixText } from '../hash.ts'
import { Chance } from './chance.ts'
import { jsonInstance } from './json-instance.ts'
import type { Schema } from './json-valid.ts'
import { asPython, plainJson } from './plain-json.ts'

/** Arguments that fit the schema of a function's parameters; the same for the same schema. Without one: none. */
export function instanceOf(parameters: PyValue | undefined): PyValue {
  if (!(parameters instanceof Map)) return new Map()
  const schema = plainJson(parameters) as Schema
  const value = jsonInstance(schema, new Chance(mixText(3, JSON.stringify(schema))))
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? asPython(value) : new Map()
}
