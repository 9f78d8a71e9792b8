import { resolveRef, type Schema } from './json-valid.ts'
import { regexError } from './regex-errors.ts'

type Json = { readonly [key: string]: unknown }

const TYPES = new Set(['null', 'boolean', 'array', 'object', 'string', 'number', 'integer'])
const LIMITS = [
  ['minimum', 'maximum'],
  ['minItems', 'maxItems'],
  ['minLength', 'maxLength'],
  ['minProperties', 'maxProperties'],
] as const
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions']
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
const PARTS = ['items', 'additionalProperties', 'contains', 'not', 'if', 'then', 'else', 'propertyNames']

/** What vLLM says of a JSON schema that none of its backends can read; undefined for one that is well. */
// follows the errors of llguidance, which vLLM tries after xgrammar
export function schemaError(schema: unknown, root: unknown = schema): string | undefined {
  if (schema === true) return undefined
  if (schema === false) return said('Unsatisfiable schema: schema is false')
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema))
    return said('schema must be an object or boolean')
  return ownError(schema as Json, root as Schema) ?? partError(schema as Json, root)
}

const said = (text: string): string => `Grammar error: ${text}`

function ownError(schema: Json, root: Schema): string | undefined {
  const { $ref, type, properties, required, pattern } = schema
  if (typeof $ref === 'string' && !resolveRef(root, $ref))
    return said(
      $ref.startsWith('#')
        ? `Pointer '${$ref.slice(1)}' does not exist`
        : `Resource '${$ref}' is not present in a registry and retrieving it failed: Default retriever does not fetch resources`,
    )
  if (type !== undefined) {
    const types = Array.isArray(type) ? type : [type]
    if (types.some((each) => typeof each !== 'string')) return said('type must be a string or array of strings')
    const unknown = types.find((each) => !TYPES.has(each as string))
    if (unknown !== undefined) return said(`Invalid type: ${String(unknown)}`)
  }
  if (properties !== undefined && (properties === null || typeof properties !== 'object'))
    return said('properties must be an object')
  if (required !== undefined && !Array.isArray(required))
    return said(`Expected array for 'required', got ${JSON.stringify(required)}`)
  if (Array.isArray(schema['enum']) && schema['enum'].length === 0) return said('Unsatisfiable schema: anyOf is empty')
  for (const [low, high] of LIMITS)
    if (typeof schema[low] === 'number' && typeof schema[high] === 'number' && schema[low] > schema[high])
      return said(`Unsatisfiable schema: ${low} (${schema[low]}) is greater than ${high} (${schema[high]})`)
  if (typeof pattern !== 'string') return undefined
  const wrong = regexError(pattern)
  return wrong && said(wrong.slice(wrong.indexOf('regex parse error'), wrong.lastIndexOf('\n   1 | start')))
}

function partError(schema: Json, root: unknown): string | undefined {
  const parts: unknown[] = []
  for (const key of MAPS) if (schema[key] !== undefined) parts.push(...Object.values(schema[key] as object))
  for (const key of LISTS) if (Array.isArray(schema[key])) parts.push(...(schema[key] as unknown[]))
  for (const key of PARTS) if (schema[key] !== undefined) parts.push(...[schema[key]].flat())
  for (const part of parts) {
    // what may not be is refused where it stands, not at the start
    if (part === false) continue
    const error = schemaError(part, root)
    if (error !== undefined) return error
  }
  return undefined
}
