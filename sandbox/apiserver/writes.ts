import type { Kind } from '../kube/kinds.ts'
import type { Draft, KubeObject, ObjectMeta } from '../kube/objects.ts'
import type { Strategy } from './strategy.ts'

/** A write: what is written, over what, and by whom. */
export interface Write<T extends KubeObject> {
  readonly kind: Kind<T>
  readonly key: string
  readonly before: T | undefined
  readonly by: string
}

/** A new object as its kind's strategy gets it. */
export function asked<T extends KubeObject>(
  kind: Kind<T>,
  strategy: Strategy,
  draft: Draft<T>,
  metadata: ObjectMeta,
): T {
  const { apiVersion, kind: name } = kind
  const object = { ...draft, apiVersion, kind: name, metadata } as unknown as T & { status?: unknown }
  const keepsStatus = !strategy.hasStatus || strategy.statusOnCreate
  if (object.status === undefined || keepsStatus) return object
  const { status: _, ...rest } = object
  return rest as unknown as T
}

/** What only the server says of an object, as it is. */
export function withServersOwn(asked: ObjectMeta, { metadata: before }: KubeObject): ObjectMeta {
  const { uid, resourceVersion, creationTimestamp } = before
  const { deletionTimestamp, deletionGracePeriodSeconds, generation } = before
  const made: ObjectMeta = { ...asked, uid, resourceVersion, creationTimestamp }
  put(made, 'deletionTimestamp', deletionTimestamp)
  put(made, 'deletionGracePeriodSeconds', deletionGracePeriodSeconds)
  put(made, 'generation', generation)
  return made
}

/** Sets a field, or leaves it absent. */
function put<K extends keyof ObjectMeta>(meta: ObjectMeta, field: K, value: ObjectMeta[K] | undefined): void {
  if (value !== undefined) meta[field] = value
  else if (field in meta) delete meta[field]
}

/** The patch of a write as the journal has it: with the new version, which every write brings. */
export function withVersion(change: unknown, resourceVersion: string): unknown {
  const patch = (change ?? {}) as { metadata?: { resourceVersion?: string } }
  if (patch.metadata) patch.metadata.resourceVersion = resourceVersion
  else patch.metadata = { resourceVersion }
  return patch
}
