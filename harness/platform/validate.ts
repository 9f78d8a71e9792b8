import type { Definition, KubernetesSchema } from '../../fixtures/kubernetes-schema/schema.ts'
import { PlatformError } from './errors.ts'
import { fieldHint } from './field-hint.ts'
import { writtenText } from './locate.ts'
import { type FieldPath, formatPath } from './path.ts'
import { groupOf, type PlatformObject, sourceOf } from './platform.ts'
import { checkScalar } from './validate-scalar.ts'

const ERRORS_PER_OBJECT = 50

/**
 * Checks an object's fields as `kubectl apply --validate=strict` against Kubernetes 1.36 would: unknown and missing fields, types, closed
 * sets of values, quantities. Nothing is said about a kind the schema does not have, unless its group is one of Kubernetes' own.
 */
export function validateFields(object: PlatformObject, schema: KubernetesSchema): PlatformError[] {
  const { apiVersion, kind } = object.manifest
  const definition = schema.kinds[`${apiVersion}/${kind}`]
  if (definition) return new Validation(object, schema).run(definition)
  const unserved = unservedVersion(object, schema)
  return unserved ? [unserved] : []
}

class Validation {
  private readonly errors: PlatformError[] = []
  private readonly object: PlatformObject
  private readonly schema: KubernetesSchema

  constructor(object: PlatformObject, schema: KubernetesSchema) {
    this.object = object
    this.schema = schema
  }

  run(definition: string): PlatformError[] {
    this.map(this.object.manifest, definition, [], [])
    return this.errors
  }

  private value(value: unknown, type: string, path: FieldPath, parents: readonly Definition[]): void {
    if (value === null || value === undefined || type === 'any' || this.errors.length >= ERRORS_PER_OBJECT) return
    if (type.startsWith('[]')) {
      if (!Array.isArray(value)) this.wrongType(path, 'a list', value)
      else for (const [i, item] of value.entries()) this.value(item, type.slice(2), [...path, i], parents)
    } else if (type.startsWith('{}')) {
      if (!isMap(value)) this.wrongType(path, 'a map', value)
      else for (const [key, item] of Object.entries(value)) this.value(item, type.slice(2), [...path, key], parents)
    } else if (type.startsWith('#')) {
      if (!isMap(value)) this.wrongType(path, 'a map', value)
      else this.map(value, type.slice(1), path, parents)
    } else {
      const problem = checkScalar(value, type)
      if (problem?.kind === 'type') this.wrongType(path, problem.wanted, value)
      else if (problem) this.add('BAD_VALUE', path, `${formatPath(path)}: ${problem.message}`, problem.why, problem.fix)
    }
  }

  private map(value: object, name: string, path: FieldPath, parents: readonly Definition[]): void {
    const definition = this.schema.definitions[name]!
    for (const [key, item] of Object.entries(value)) {
      const type = Object.hasOwn(definition.fields, key) ? definition.fields[key] : undefined
      if (type === undefined) this.unknownField([...path, key], key, definition, parents)
      else this.value(item, type, [...path, key], [...parents, definition])
    }
    if (path[0] === 'status') return
    for (const field of definition.required ?? []) {
      const given = (value as Record<string, unknown>)[field]
      if (given === undefined || given === null) this.missing([...path, field])
    }
  }

  private unknownField(path: FieldPath, key: string, definition: Definition, parents: readonly Definition[]): void {
    const hint = fieldHint(key, definition, parents, this.schema)
    this.add(
      'UNKNOWN_FIELD',
      path,
      `unknown field "${formatPath(path)}"`,
      `Kubernetes ${this.schema.version} has no such field here; strict validation refuses it, and otherwise it is dropped without a word.`,
      hint,
      true,
    )
  }

  private missing(path: FieldPath): void {
    const field = formatPath(path)
    this.add(
      'MISSING_FIELD',
      path,
      `${field}: Required value`,
      'The API server refuses the object without it.',
      `Add ${field}.`,
    )
  }

  private wrongType(path: FieldPath, wanted: string, value: unknown): void {
    const written = writtenText(this.object.parsed, [...this.object.base, ...path])
    const given = describe(value, written)
    const quote = wanted === 'a string' && typeof value !== 'object'
    const unquote = (wanted.startsWith('an integer') || wanted === 'a boolean') && typeof value === 'string'
    const fix = quote
      ? `Put it into quotes: "${written}".`
      : unquote && /^(\d+|true|false)$/.test(value as string)
        ? `Remove the quotes: ${value as string}.`
        : `Give ${wanted}.`
    this.add(
      'WRONG_TYPE',
      path,
      `${formatPath(path)} must be ${wanted}, not ${given}`,
      'The API server could not decode the object.',
      fix,
    )
  }

  private add(
    code: PlatformError['code'],
    path: FieldPath,
    what: string,
    why: string,
    fix: string,
    atKey = false,
  ): void {
    if (this.errors.length >= ERRORS_PER_OBJECT) return
    const position = sourceOf(this.object, path)
    this.errors.push(new PlatformError(code, what, { why, fix, at: (atKey && position.key) || position }))
  }
}

/** Kubernetes' own group, but no such version or kind in it: removed, not yet there, or mistyped. */
function unservedVersion(object: PlatformObject, schema: KubernetesSchema): PlatformError | undefined {
  const { apiVersion, kind } = object.manifest
  const group = groupOf(apiVersion)
  const served = Object.keys(schema.kinds).map((key) => ({
    version: key.slice(0, key.lastIndexOf('/')),
    kind: key.slice(key.lastIndexOf('/') + 1),
  }))
  const ownGroup = group === 'extensions' || served.some((one) => groupOf(one.version) === group)
  if (!ownGroup) return undefined
  const better = [...new Set(served.filter((one) => one.kind === kind).map((one) => one.version))].at(-1)
  return new PlatformError('UNSERVED_VERSION', `no matches for kind "${kind}" in version "${apiVersion}"`, {
    why: `Kubernetes ${schema.version} does not serve it by default.`,
    fix: better
      ? `Write apiVersion: ${better}, and check the fields that changed.`
      : 'Check apiVersion and kind for a slip.',
    at: sourceOf(object, better ? 'apiVersion' : 'kind'),
  })
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function describe(value: unknown, written: string): string {
  if (Array.isArray(value)) return 'a list'
  if (isMap(value)) return 'a map'
  if (typeof value === 'string')
    return `the string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value)}`
  const plain = `the ${typeof value} ${String(value)}`
  return written === String(value) || written.length > 20 ? plain : `${plain} (which ${written} is, without quotes)`
}
