import { equal, type Schema } from './json-valid.ts'

type Json = { readonly [key: string]: unknown }

const LARGER = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'])
const SMALLER = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'])
const PARTS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentRequired'])

/** One schema that asks for what both do, as far as keywords can be put together. */
export function merged(a: Schema, b: Schema): Schema {
  if (a === true || b === false) return b
  if (b === true || a === false) return a
  const both: Record<string, unknown> = { ...(a as Json) }
  for (const [keyword, value] of Object.entries(b as Json))
    both[keyword] = keyword in both ? mergedValue(keyword, both[keyword], value) : value
  return both
}

function mergedValue(keyword: string, a: unknown, b: unknown): unknown {
  if (LARGER.has(keyword)) return Math.max(Number(a), Number(b))
  if (SMALLER.has(keyword)) return Math.min(Number(a), Number(b))
  if (PARTS.has(keyword)) return mergedParts(a as Record<string, Schema>, b as Record<string, Schema>)
  if (keyword === 'required') return [...new Set([...(a as string[]), ...(b as string[])])]
  if (keyword === 'enum')
    return (a as unknown[]).filter((value) => (b as unknown[]).some((other) => equal(value, other)))
  if (keyword === 'type') return commonTypes([a].flat() as string[], [b].flat() as string[])
  if (['items', 'additionalProperties', 'propertyNames', 'contains'].includes(keyword) && isSchema(a) && isSchema(b))
    return merged(a, b)
  if (['allOf', 'anyOf', 'oneOf'].includes(keyword)) return keyword === 'allOf' ? [...(a as []), ...(b as [])] : b
  if (keyword === 'multipleOf') return leastCommon(Number(a), Number(b))
  return b
}

function mergedParts(a: Record<string, Schema>, b: Record<string, Schema>): Record<string, unknown> {
  const both: Record<string, unknown> = { ...a }
  for (const [key, value] of Object.entries(b))
    both[key] = key in both && isSchema(value) ? merged(both[key] as Schema, value) : value
  return both
}

/** Whole numbers are numbers. */
function commonTypes(a: readonly string[], b: readonly string[]): string | string[] {
  const common = a.flatMap((type) => {
    if (b.includes(type)) return [type]
    if (type === 'number' && b.includes('integer')) return ['integer']
    return type === 'integer' && b.includes('number') ? ['integer'] : []
  })
  return common.length === 1 ? common[0]! : common
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'boolean' || (value !== null && typeof value === 'object' && !Array.isArray(value))

function leastCommon(a: number, b: number): number {
  if (!Number.isInteger(a) || !Number.isInteger(b)) return Math.max(a, b)
  let [x, y] = [a, b]
  while (y !== 0) [x, y] = [y, x % y]
  return (a / x) * b
}
