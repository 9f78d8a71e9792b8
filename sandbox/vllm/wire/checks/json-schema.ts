import { badRequest } from '../errors.ts'
import { dumpsCompact, type Json } from '../python/dumps.ts'
import { numeric } from '../python/errors.ts'
import { isDict, isInt, isList, type PyDict, type PyValue } from '../python/value.ts'
import { regexProblem } from './regex.ts'

/** Refuses a schema that neither xgrammar nor llguidance takes. */
// follows vllm/v1/structured_output/backend_{xgrammar,guidance}.py; llguidance/parser/src/json/schema.rs
export function checkSchema(schema: PyValue): void {
  if (!isDict(schema)) throw badRequest('Invalid grammar specification: Expecting object schema to apply options')
  const problem = problemOf(schema, { root: schema, seen: new Set() })
  if (problem !== undefined) throw badRequest(`Grammar error: ${problem}`)
}

interface Walk {
  readonly root: PyValue
  readonly seen: Set<PyValue>
}

type Problem = string | undefined

const UNSATISFIABLE = 'Unsatisfiable schema: '

/** The first thing that is wrong, outside in; undefined: nothing. */
function problemOf(schema: PyValue, walk: Walk): Problem {
  if (typeof schema === 'boolean') return undefined
  if (!isDict(schema)) return 'schema must be an object or boolean'
  if (walk.seen.has(schema)) return undefined
  walk.seen.add(schema)
  return (
    refProblem(schema, walk) ??
    typeProblem(schema) ??
    shapeProblem(schema) ??
    unsupportedProblem(schema) ??
    countProblem(schema) ??
    rangeProblem(schema) ??
    innerProblem(schema, walk)
  )
}

function refProblem(schema: PyDict, walk: Walk): Problem {
  const ref = schema.get('$ref')
  if (ref === undefined) return undefined
  if (typeof ref !== 'string') return `$ref must be a string, got ${dumpsCompact(ref as Json)}`
  if (!ref.startsWith('#/')) return undefined
  let target: PyValue | undefined = walk.root
  for (const step of ref.slice(2).split('/')) target = isDict(target) ? target.get(unescaped(step)) : undefined
  return target === undefined ? `Pointer '${ref.slice(1)}' does not exist` : problemOf(target, walk)
}

const unescaped = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~')

const TYPES = new Set(['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'])

function typeProblem(schema: PyDict): Problem {
  const type = schema.get('type')
  if (type === undefined) return undefined
  if (typeof type !== 'string' && !isList(type)) return 'type must be a string or array of strings'
  const all = isList(type) ? type : [type]
  const wrong = all.find((one) => typeof one !== 'string' || !TYPES.has(one))
  if (wrong === undefined) return undefined
  return typeof wrong === 'string' ? `Invalid type: ${wrong}` : 'type must be a string'
}

function hasType(schema: PyDict, type: string): boolean {
  const given = schema.get('type')
  return given === type || (isList(given) && given.includes(type))
}

function shapeProblem(schema: PyDict): Problem {
  const choices = schema.get('enum')
  if (choices !== undefined && !isList(choices)) return 'enum must be an array'
  if (isList(choices) && choices.length === 0) return `${UNSATISFIABLE}anyOf is empty`
  const properties = schema.get('properties')
  if (properties !== undefined && !isDict(properties)) return 'properties must be an object'
  const needed = schema.get('required')
  if (needed !== undefined && !isList(needed))
    return `Expected array for 'required', got ${dumpsCompact(needed as Json)}`
  const listless = ['anyOf', 'oneOf', 'allOf', 'prefixItems'].find(
    (key) => schema.has(key) && !isList(schema.get(key) as PyValue),
  )
  return listless === undefined ? undefined : `${listless} must be an array`
}

const FORMATS = new Set(
  `email date time date-time duration ipv4 ipv6 hostname uuid uri uri-reference uri-template json-pointer
   relative-json-pointer unknown`.split(/\s+/),
)

/** What xgrammar leaves to llguidance, which has none of it either. */
// follows has_xgrammar_unsupported_json_features of vllm/v1/structured_output/backend_xgrammar.py
function unsupportedProblem(schema: PyDict): Problem {
  const arrayKeys = ['contains', 'maxContains', 'minContains', 'uniqueItems'].filter((key) => schema.has(key))
  if (hasType(schema, 'array') && arrayKeys.length > 0) return unimplemented(arrayKeys)
  const names = schema.get('propertyNames')
  if (hasType(schema, 'object') && names !== undefined && (schema.has('properties') || limitsPattern(names)))
    return unimplemented(['propertyNames'])
  const format = schema.get('format')
  if (hasType(schema, 'string') && typeof format === 'string' && !FORMATS.has(format))
    return `Unknown format: ${format}`
  return disjointTypes(schema) ? `${UNSATISFIABLE}incompatible types` : undefined
}

const unimplemented = (keys: readonly string[]): string =>
  `Unimplemented keys: [${keys.map((key) => `"${key}"`).join(', ')}]`

const limitsPattern = (schema: PyValue): boolean =>
  isDict(schema) &&
  (schema.has('pattern') || schema.has('format')) &&
  (schema.has('minLength') || schema.has('maxLength'))

/** Parts of an `allOf` that no value can be at once. */
function disjointTypes(schema: PyDict): boolean {
  const parts = schema.get('allOf')
  if (!isList(parts)) return false
  const types = parts
    .map((part) => (isDict(part) ? part.get('type') : undefined))
    .filter((type) => typeof type === 'string')
  const kinds = new Set(types.map((type) => (type === 'integer' ? 'number' : type)))
  return kinds.size > 1
}

const COUNTS: readonly (readonly [type: string, least: string, most: string])[] = [
  ['string', 'minLength', 'maxLength'],
  ['array', 'minItems', 'maxItems'],
  ['object', 'minProperties', 'maxProperties'],
]

function countProblem(schema: PyDict): Problem {
  for (const [type, lower, upper] of COUNTS) {
    if (!hasType(schema, type)) continue
    const wrong = [lower, upper].find((key) => schema.has(key) && !isInt(schema.get(key)))
    if (wrong !== undefined)
      return `Expected positive integer for '${wrong}', got ${dumpsCompact(schema.get(wrong) as Json)}`
    const least = numeric(schema.get(lower)) ?? 0
    const most = numeric(schema.get(upper)) ?? Number.POSITIVE_INFINITY
    if (least <= most) continue
    return type === 'object'
      ? `${UNSATISFIABLE}minProperties > maxProperties`
      : `${UNSATISFIABLE}${lower} (${least}) is greater than ${upper} (${most})`
  }
  const pattern = schema.get('pattern')
  return hasType(schema, 'string') && typeof pattern === 'string' ? regexProblem(pattern) : undefined
}

function rangeProblem(schema: PyDict): Problem {
  if (!hasType(schema, 'integer') && !hasType(schema, 'number')) return undefined
  const above = numeric(schema.get('exclusiveMinimum'))
  const below = numeric(schema.get('exclusiveMaximum'))
  const least = numeric(schema.get('minimum')) ?? above
  const most = numeric(schema.get('maximum')) ?? below
  if (least !== undefined && most !== undefined && least > most)
    return `${UNSATISFIABLE}minimum (${least}) is greater than maximum (${most})`
  if (above !== undefined && above === below)
    return `${UNSATISFIABLE}exclusiveMinimum (${above}) is equal to exclusiveMaximum (${below})`
  return numeric(schema.get('multipleOf')) === 0 ? 'invalid multiple of' : undefined
}

/** Parts that nothing satisfies do no harm where they may be left out. */
function innerProblem(schema: PyDict, walk: Walk): Problem {
  const needed = schema.get('required')
  const properties = schema.get('properties')
  for (const [name, inner] of isDict(properties) ? properties : []) {
    const problem = problemOf(inner, walk)
    if (problem === undefined) continue
    if (!problem.startsWith(UNSATISFIABLE)) return problem
    if (isList(needed) && needed.includes(name)) return `${UNSATISFIABLE}required property '${name}' is unsatisfiable`
  }
  const parts = ['anyOf', 'oneOf', 'allOf', 'prefixItems', 'items', 'additionalProperties'].flatMap((key) =>
    partsOf(schema.get(key)),
  )
  for (const inner of parts) {
    const problem = problemOf(inner, walk)
    if (problem !== undefined && !problem.startsWith(UNSATISFIABLE)) return problem
  }
  return undefined
}

/** Schemas in a list, or the one that is there. */
function partsOf(value: PyValue | undefined): readonly PyValue[] {
  if (value === undefined) return []
  return isList(value) ? value : [value]
}
