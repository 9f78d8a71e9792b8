import { defaulted } from '../../sandbox/apiserver/decoding.ts'
import { strategies } from '../../sandbox/apiserver/strategies/index.ts'
import { withoutNulls } from '../../sandbox/journal/merge-patch.ts'
import { ApiError } from '../../sandbox/kube/errors.ts'
import { kindOf } from '../../sandbox/kube/kinds.ts'
import type { KubeObject } from '../../sandbox/kube/objects.ts'
import { PlatformError } from './errors.ts'
import { type FieldPath, formatPath, parsePath } from './path.ts'
import { type Manifest, type PlatformObject, sourceOf } from './platform.ts'

/**
 * What the API server would answer an object whose fields are those of its kind: every cause for which it would refuse it, at the field the
 * cause names. Looks at one object alone, so what it refers to (namespace, service account, priority class) need not be there.
 * Kinds without rules of their own are not looked at.
 */
export function rejections(object: PlatformObject): PlatformError[] {
  const causes = [...new Set(causesOf(object.manifest))]
  return causes.filter((cause) => !isCopied(object, cause, causes)).map((cause) => rejection(object, cause))
}

function causesOf(manifest: Manifest): readonly string[] {
  const kind = kindOf(manifest)
  const strategy = strategies.get(kind.id)
  if (!strategy?.validate) return []
  const empty = emptyItems(manifest, [])
  if (empty.length > 0) return empty.map((path) => `${formatPath(path)}: Required value: the item of the list is null`)
  try {
    return strategy.validate(defaulted(strategy, asSent(manifest, kind.namespaced, strategy.statusOnCreate)))
  } catch (error) {
    if (error instanceof ApiError) return [error.message]
    throw error
  }
}

/** Items of lists that are null. Go decodes them as empty strings, which only commands may hold, or as maps without what they must have. */
function emptyItems(value: unknown, path: FieldPath): FieldPath[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key]
    if (item === null && Array.isArray(value)) return /^(args|command)$/.test(String(path.at(-1))) ? [] : [at]
    return emptyItems(item, at)
  })
}

/** The object as it reaches defaulting: with a name and a namespace, and the empty spec that decoding gives one without. */
function asSent(manifest: Manifest, namespaced: boolean, keepsStatus = false): KubeObject {
  const { status, metadata, ...rest } = withoutNulls(manifest)
  const name = metadata.name ?? `${metadata.generateName}xxxxx`
  const { namespace, ...meta } = metadata
  const sent = {
    spec: {},
    ...rest,
    metadata: { ...meta, name, ...(namespaced ? { namespace: namespace ?? 'default' } : {}) },
    ...(keepsStatus && status !== undefined ? { status } : {}),
  }
  return sent as unknown as KubeObject
}

/** What is not written and was filled in from another field is said of the other: requests of limits, a targetPort of its port. */
const isCopied = (object: PlatformObject, cause: string, causes: readonly string[]): boolean => {
  const original = cause.replace('.requests[', '.limits[').replace('.targetPort: ', '.port: ')
  return original !== cause && causes.includes(original) && sourceOf(object, pathOf(cause)).absent === true
}

function rejection(object: PlatformObject, cause: string): PlatformError {
  const path = pathOf(cause)
  return new PlatformError('REJECTED', cause, {
    why: `The API server would refuse ${object.id}.`,
    fix: fixOf(cause, formatPath(path)),
    at: path.length === 0 ? sourceOf(object, 'kind') : sourceOf(object, path),
  })
}

const CAUSE =
  /^(.*?): (Invalid value|Required value|Forbidden|Duplicate value|Not found|Unsupported value|Too long|Too many)\b/

/** Where the field of a cause is in the manifest. A few causes name it as Go's types do, not as it is written. */
function pathOf(cause: string): FieldPath {
  const named = CAUSE.exec(cause)?.[1]
  if (named === undefined) return []
  return parsePath(
    named
      .replace(/^spec\.template\.(labels|annotations)\b/, 'spec.template.metadata.$1')
      .replace(/^metadata\.taints\b/, 'spec.taints')
      .replace(/\.\{.*$/, ''),
  )
}

function fixOf(cause: string, field: string): string {
  switch (CAUSE.exec(cause)?.[2]) {
    case 'Required value':
      return `Add ${field}.`
    case 'Forbidden':
      return `Remove ${field}, or what rules it out.`
    case 'Duplicate value':
      return `Give ${field} a value of its own.`
    case 'Not found':
      return `Let ${field} name something this object defines, or define it.`
    case 'Unsupported value':
      return `Give ${field} one of the supported values.`
    default:
      return field === '' ? 'Correct the object.' : `Correct ${field}.`
  }
}
