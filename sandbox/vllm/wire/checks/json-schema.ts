import { badRequest } from '../errors.ts'
import { dumpsCompact, type Json } from '../python/dumps.ts'
import { numeric } from '../python/errors.ts'
import { pyStr } from '../python/text.ts'
import { isDict, isList, type PyDict, type PyValue } from '../python/value.ts'
import { regexProblem } from './regex.ts'

/** Refuses a schema that neither xgrammar nor llguidance takes. */
// follows vllm/v1/structured_output/backend_{xgrammar,guidance}.py; llguidance/parser/src/json/schema.rs
export function checkSchema(schema: PyValue): void {
  const problem = problemOf(schema, { root: schema, seen: new Set() })
  if (problem !== undefined) throw badRequest(`Grammar error: ${problem}`)
}

interface Walk {
  readonly root: PyValue
  readonly seen: Set<PyValue>
}

const TYPES = new Set(['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'])

/** The first thing that is wrong, outside in; undefined: nothing. */
function problemOf(schema: PyValue, walk: Walk): string | undefined {
  if (typeof schema === 'boolean') return undefined
  if (!isDict(schema)) return 'schema must be an object or boolean'
  if (walk.seen.has(schema)) return undefined
  walk.seen.add(schema)
  return (
    refProblem(schema, walk) ??
    typeProblem(schema) ??
    shapeProblem(schema) ??
    rangeProblem(schema) ??
    innerProblem(schema, walk)
  )
}

function refProblem(schema: PyDict, walk: Walk): string | undefined {
  const ref = schema.get('$ref')
  if (ref === undefined) return undefined
  if (typeof ref !== 'string') return `$ref must be a string, got ${dumpsCompact(ref as Json)}`
  if (!ref.startsWith('#/')) return undefined
  let target: PyValue | undefined = walk.root
  for (const step of ref.slice(2).split('/')) target = isDict(target) ? target.get(unescaped(step)) : undefined
  return target === undefined ? `Pointer '${ref.slice(1)}' does not exist` : problemOf(target, walk)
}

const unescaped = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~')

function typeProblem(schema: PyDict): string | undefined {
  const type = schema.get('type')
  if (type === undefined) return undefined
  const all = isList(type) ? type : [type]
  if (!all.every((one) => typeof one === 'string')) return 'type must be a string or array of strings'
  const unknown = all.find((one) => !TYPES.has(one as string))
  return unknown === undefined ? undefined : `Invalid type: ${pyStr(unknown)}`
}

function shapeProblem(schema: PyDict): string | undefined {
  const choices = schema.get('enum')
  if (choices !== undefined && !isList(choices)) return 'enum must be an array'
  if (isList(choices) && choices.length === 0) return 'Unsatisfiable schema: anyOf is empty'
  const properties = schema.get('properties')
  if (properties !== undefined && !isDict(properties)) return 'properties must be an object'
  const needed = schema.get('required')
  if (needed !== undefined && !isList(needed))
    return `Expected array for 'required', got ${dumpsCompact(needed as Json)}`
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    const value = schema.get(key)
    if (value !== undefined && !isList(value)) return `${key} must be an array`
  }
  return unsupportedProblem(schema)
}

/** Keys that xgrammar leaves to llguidance, which has none of them either. */
function unsupportedProblem(schema: PyDict): string | undefined {
  if (hasType(schema, 'array')) {
    const keys = ['uniqueItems', 'contains', 'minContains', 'maxContains'].filter((key) => schema.has(key))
    if (keys.length > 0) return `Unimplemented keys: ${dumpsCompact([...keys].sort())}`.replaceAll('","', '", "')
  }
  const format = schema.get('format')
  if (hasType(schema, 'string') && typeof format === 'string' && !FORMATS.has(format))
    return `Unknown format: ${format}`
  return undefined
}

const FORMATS = new Set(
  'email date time date-time duration ipv4 ipv6 hostname uuid uri uri-reference uri-template json-pointer relative-json-pointer unknown'.split(
    ' ',
  ),
)

function hasType(schema: PyDict, type: string): boolean {
  const given = schema.get('type')
  return given === type || (isList(given) && given.includes(type))
}

const RANGES = [
  ['minimum', 'maximum'],
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
] as const

function rangeProblem(schema: PyDict): string | undefined {
  for (const [lower, upper] of RANGES) {
    const least = numeric(schema.get(lower))
    const most = numeric(schema.get(upper))
    if (least !== undefined && most !== undefined && least > most)
      return `Unsatisfiable schema: ${lower} (${least}) is greater than ${upper} (${most})`
  }
  const step = numeric(schema.get('multipleOf'))
  if (step !== undefined && step <= 0) return 'invalid multiple of'
  const pattern = schema.get('pattern')
  return typeof pattern === 'string' ? regexProblem(pattern) : undefined
}

function innerProblem(schema: PyDict, walk: Walk): string | undefined {
  const dicts = ['properties', 'patternProperties'].flatMap((key) => {
    const value = schema.get(key)
    return isDict(value) ? [...value.values()] : []
  })
  const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems'].flatMap((key) => {
    const value = schema.get(key)
    return isList(value) ? value : []
  })
  const single = ['items', 'additionalProperties'].flatMap((key) => {
    const value = schema.get(key)
    return value === undefined ? [] : [value]
  })
  for (const inner of [...dicts, ...lists, ...single]) {
    const problem = problemOf(inner, walk)
    if (problem !== undefined) return problem
  }
  return undefined
}
