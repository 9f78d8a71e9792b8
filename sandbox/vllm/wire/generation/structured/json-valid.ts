import { type TextPattern, textAround } from './regex.ts'

export type Schema = boolean | { readonly [keyword: string]: unknown }
type Json = { readonly [key: string]: unknown }

const patterns = new Map<string, TextPattern | undefined>()

/** Of `pattern` and `patternProperties`, which are found anywhere. Undefined for one that cannot be read. */
export function patternOf(source: string): TextPattern | undefined {
  if (!patterns.has(source)) {
    if (patterns.size > 256) patterns.clear()
    patterns.set(source, readPattern(source))
  }
  return patterns.get(source)
}

function readPattern(source: string): TextPattern | undefined {
  try {
    return textAround(source)
  } catch {
    return undefined
  }
}

/** Where a `$ref` leads; undefined where to nothing. */
export function resolveRef(root: Schema, ref: string): Schema | undefined {
  if (!ref.startsWith('#')) return undefined
  let at: unknown = root
  for (const part of decodeURIComponent(ref.slice(1)).split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) return undefined
    at = (at as Json)[key]
  }
  return typeof at === 'boolean' || (at !== null && typeof at === 'object') ? (at as Schema) : undefined
}

/** Whether a value fits a schema, by the keywords that can be met. */
export function fits(value: unknown, schema: Schema, root: Schema = schema): boolean {
  if (typeof schema === 'boolean') return schema
  const every = (list: unknown, test: (part: Schema) => boolean) => ((list ?? []) as Schema[]).every(test)
  const is = (part: unknown) => fits(value, part as Schema, root)
  if (typeof schema['$ref'] === 'string') {
    const target = resolveRef(root, schema['$ref'])
    if (!target || !fits(value, target, root)) return false
  }
  if ('const' in schema && !equal(value, schema['const'])) return false
  if (Array.isArray(schema['enum']) && !schema['enum'].some((each) => equal(value, each))) return false
  if ('type' in schema && ![schema['type']].flat().some((type) => isOfType(value, String(type)))) return false
  if (!every(schema['allOf'], is)) return false
  if (Array.isArray(schema['anyOf']) && !schema['anyOf'].some(is)) return false
  if (Array.isArray(schema['oneOf']) && schema['oneOf'].filter(is).length !== 1) return false
  if (schema['not'] !== undefined && is(schema['not'])) return false
  if (schema['if'] !== undefined) {
    const branch = is(schema['if']) ? schema['then'] : schema['else']
    if (branch !== undefined && !is(branch)) return false
  }
  if (typeof value === 'number') return fitsNumber(value, schema)
  if (typeof value === 'string') return fitsString(value, schema)
  if (Array.isArray(value)) return fitsArray(value, schema, root)
  return value === null || typeof value !== 'object' || fitsObject(value as Json, schema, root)
}

export const equal = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join()}}`
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return value !== null && typeof value === 'object' && !Array.isArray(value)
  return typeof value === type
}

const limit = (schema: Json, key: string, otherwise: number): number =>
  typeof schema[key] === 'number' ? schema[key] : otherwise

function fitsNumber(value: number, schema: Json): boolean {
  const step = limit(schema, 'multipleOf', 0)
  const ratio = step > 0 ? value / step : 0
  return (
    value >= limit(schema, 'minimum', -Infinity) &&
    value <= limit(schema, 'maximum', Infinity) &&
    value > limit(schema, 'exclusiveMinimum', -Infinity) &&
    value < limit(schema, 'exclusiveMaximum', Infinity) &&
    Math.abs(ratio - Math.round(ratio)) < 1e-9
  )
}

function fitsString(value: string, schema: Json): boolean {
  const { length } = [...value]
  const { pattern } = schema
  return (
    length >= limit(schema, 'minLength', 0) &&
    length <= limit(schema, 'maxLength', Infinity) &&
    (typeof pattern !== 'string' || patternOf(pattern)?.matches(value) !== false)
  )
}

function fitsArray(value: readonly unknown[], schema: Json, root: Schema): boolean {
  if (value.length < limit(schema, 'minItems', 0) || value.length > limit(schema, 'maxItems', Infinity)) return false
  if (schema['uniqueItems'] === true && new Set(value.map(canonical)).size < value.length) return false
  const { prefix, rest } = itemSchemas(schema)
  if (!value.every((item, i) => fits(item, prefix[i] ?? rest, root))) return false
  if (schema['contains'] === undefined) return true
  const count = value.filter((item) => fits(item, schema['contains'] as Schema, root)).length
  return count >= limit(schema, 'minContains', 1) && count <= limit(schema, 'maxContains', Infinity)
}

/** Of the first items, and of those after them. */
export function itemSchemas(schema: Json): { readonly prefix: readonly Schema[]; readonly rest: Schema } {
  const { prefixItems, items, additionalItems } = schema
  if (Array.isArray(prefixItems))
    return { prefix: prefixItems as Schema[], rest: (items as Schema | undefined) ?? true }
  if (Array.isArray(items)) return { prefix: items as Schema[], rest: (additionalItems as Schema | undefined) ?? true }
  return { prefix: [], rest: (items as Schema | undefined) ?? true }
}

function fitsObject(value: Json, schema: Json, root: Schema): boolean {
  const keys = Object.keys(value)
  if (keys.length < limit(schema, 'minProperties', 0) || keys.length > limit(schema, 'maxProperties', Infinity))
    return false
  if (((schema['required'] ?? []) as string[]).some((key) => !Object.hasOwn(value, key))) return false
  const needs = Object.entries((schema['dependentRequired'] ?? schema['dependencies'] ?? {}) as Record<string, unknown>)
  for (const [key, others] of needs)
    if (
      Object.hasOwn(value, key) &&
      Array.isArray(others) &&
      others.some((other) => !Object.hasOwn(value, String(other)))
    )
      return false
  const names = schema['propertyNames'] as Schema | undefined
  if (names !== undefined && !keys.every((key) => fits(key, names, root))) return false
  return keys.every((key) => schemasOf(schema, key).every((part) => fits(value[key], part, root)))
}

/** All that a property has to fit. */
export function schemasOf(schema: Json, key: string): Schema[] {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  const byPattern = Object.entries((schema['patternProperties'] ?? {}) as Record<string, Schema>)
  const found = byPattern.filter(([pattern]) => patternOf(pattern)?.matches(key)).map(([, part]) => part)
  if (Object.hasOwn(properties, key)) found.push(properties[key]!)
  return found.length > 0 ? found : [(schema['additionalProperties'] as Schema | undefined) ?? true]
}
