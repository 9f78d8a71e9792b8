import { PlatformError } from './errors.ts'
import { type FieldPath, formatPath } from './path.ts'
import { groupOf, namespaceOf, type PlatformObject, sourceOf } from './platform.ts'
import { templateLeft } from './yaml.ts'

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

/** Names as Kubernetes takes them. Follows apimachinery/pkg/util/validation/validation.go (IsDNS1123Subdomain); roles may have any. */
export function checkObjectName(object: PlatformObject): PlatformError | undefined {
  const { apiVersion, metadata } = object.manifest
  const { name } = metadata
  if (!name || groupOf(apiVersion) === 'rbac.authorization.k8s.io' || (name.length <= 253 && SUBDOMAIN.test(name)))
    return undefined
  if (/\{\{|\$\{/.test(name)) return undefined
  const message = name.length > 253 ? 'must be no more than 253 bytes' : SUBDOMAIN_MESSAGE
  return new PlatformError(
    'BAD_NAME',
    `metadata.name: Invalid value: ${JSON.stringify(name.slice(0, 80))}: ${message}`,
    {
      why: 'The API server refuses the name.',
      fix: 'Use lower-case letters, digits and dashes, beginning and ending with a letter or digit.',
      at: sourceOf(object, 'metadata.name'),
    },
  )
}

/** Two objects of one kind, namespace and name: the later would overwrite the earlier. */
export function checkDuplicates(objects: readonly PlatformObject[]): PlatformError[] {
  const first = new Map<string, PlatformObject>()
  const errors: PlatformError[] = []
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object.manifest
    if (!metadata.name) continue
    const key = JSON.stringify([groupOf(apiVersion), kind, namespaceOf(object), metadata.name])
    const earlier = first.get(key)
    if (!earlier) {
      first.set(key, object)
      continue
    }
    const there = sourceOf(earlier)
    errors.push(
      new PlatformError('DUPLICATE_OBJECT', `${object.id} is given twice`, {
        why: `The first is at ${there.file}:${there.line}; applying both leaves only the later one's settings.`,
        fix: 'Remove one, or give the folder of one environment instead of their common parent.',
        at: sourceOf(object, 'metadata.name'),
      }),
    )
  }
  return errors
}

const TEMPLATE =
  /\{\{-?\s*(\.Values|\.Release|\.Chart|\.Capabilities|include|template|tpl|toYaml|required|default|quote|if|range|with|end)\b/
const OPAQUE_KINDS = new Set(['ConfigMap', 'Secret', 'CustomResourceDefinition'])

/** Template markers in places where Kubernetes would take them literally. Texts that are data to Kubernetes may hold any. */
export function checkTemplates(object: PlatformObject): PlatformError | undefined {
  if (object.schema === 'unknown') return undefined
  const opaque = OPAQUE_KINDS.has(object.manifest.kind)
  for (const [path, text] of strings(object.manifest, [])) {
    const last = path.at(-1)
    const identity = last === 'name' || last === 'image' || last === 'namespace'
    if (identity ? !/\{\{|\{%|\$\{/.test(text) : opaque || path[1] === 'annotations' || !TEMPLATE.test(text)) continue
    if (opaque && path[0] !== 'metadata') continue
    return templateLeft(sourceOf(object, path), `${formatPath(path)}: ${text.split('\n')[0]}`)
  }
  return undefined
}

function* strings(value: unknown, path: FieldPath): Generator<[FieldPath, string]> {
  if (typeof value === 'string') yield [path, value]
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* strings(item, [...path, i])
  else if (value !== null && typeof value === 'object')
    for (const [key, item] of Object.entries(value)) yield* strings(item, [...path, key])
}
