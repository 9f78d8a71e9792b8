import { PlatformError } from './errors.ts'
import type { SourcePosition } from './locate.ts'
import { asPath, type FieldPath, formatPath } from './path.ts'
import { type Manifest, type Platform, type PlatformObject, sourceOf } from './platform.ts'

/** One change of one field. Without `value` the field is removed. */
export interface Patch {
  /** The object's id: `Deployment/chat`. */
  readonly object: string
  readonly path: string | FieldPath
  readonly value?: unknown
}

/** Changes of fields that stand side by side, for people to make in their own file. */
export interface Edit {
  readonly object: string
  /** The map that holds them: `spec.strategy.rollingUpdate`. */
  readonly path: string
  /** `maxSurge: 0, maxUnavailable: 1`, or `remove livenessProbe`. */
  readonly text: string
  /** Of the first field that is there, or of the nearest ancestor of what is to be added. */
  readonly source: SourcePosition
}

/**
 * Changes fields in memory, leaving the given platform as it is. Maps on the way to a field that are not there are made. Throws a
 * `PlatformError` `BAD_PATCH` when an object is not there or a path leads through something that is neither a map nor a list.
 */
export function applyPatch(platform: Platform, patches: readonly Patch[]): { platform: Platform; edits: Edit[] } {
  const objects = [...platform.objects]
  const groups = new Map<
    string,
    { object: PlatformObject; parent: FieldPath; changes: { path: FieldPath; value: unknown }[] }
  >()
  for (const { object: id, path: asked, value } of patches) {
    const path = asPath(asked)
    const index = objects.findIndex((object) => object.id === id)
    const object = objects[index]
    if (!object || path.length === 0)
      throw badPatch(id, path, object ? 'names no field' : 'names an object that is not in the platform')
    objects[index] = { ...object, manifest: withField(object.manifest, path, value, id, path) as Manifest }
    const parent = path.slice(0, -1)
    const key = JSON.stringify([id, parent])
    const group = groups.get(key) ?? { object, parent, changes: [] }
    group.changes.push({ path, value })
    groups.set(key, group)
  }
  const edits = [...groups.values()].map(({ object, parent, changes }) => ({
    object: object.id,
    path: formatPath(parent),
    text: changes.map(({ path, value }) => describe(path.at(-1)!, value)).join(', '),
    source: placeOf(object, changes),
  }))
  return { platform: { ...platform, objects }, edits }
}

function withField(node: unknown, path: FieldPath, value: unknown, id: string, whole: FieldPath): unknown {
  const [part, ...rest] = path
  if (part === undefined) return frozen(value)
  if (Array.isArray(node)) {
    const index = Number(part)
    if (!Number.isInteger(index) || index < 0 || index > node.length) throw badPatch(id, whole, `has no item ${part}`)
    const copy = [...node]
    if (rest.length === 0 && value === undefined) copy.splice(index, 1)
    else copy[index] = withField(node[index], rest, value, id, whole)
    return Object.freeze(copy)
  }
  if (node !== undefined && node !== null && typeof node !== 'object')
    throw badPatch(id, whole, `leads through ${JSON.stringify(node)}`)
  const copy: Record<string, unknown> = { ...(node as Record<string, unknown> | null | undefined) }
  if (rest.length === 0 && value === undefined) delete copy[part]
  else copy[part] = withField(copy[part], rest, value, id, whole)
  return Object.freeze(copy)
}

function placeOf(object: PlatformObject, changes: readonly { path: FieldPath }[]): SourcePosition {
  const positions = changes.map(({ path }) => sourceOf(object, path))
  return positions.find((position) => !position.absent) ?? positions[0]!
}

const describe = (name: string | number, value: unknown): string =>
  value === undefined ? `remove ${name}` : `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`

/** A frozen copy, so that a patch cannot be changed after it was applied. */
function frozen(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen))
  if (value === null || typeof value !== 'object') return value
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozen(item)])))
}

const badPatch = (id: string, path: FieldPath, why: string): PlatformError =>
  new PlatformError('BAD_PATCH', `cannot change ${id} ${formatPath(path)}`, {
    why: `The change ${why}.`,
    fix: 'Name an object and a field as they are in the manifests.',
  })
