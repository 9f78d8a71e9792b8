import { isApiError } from '../kube/errors.ts'
import { controllerOf } from '../kube/indexes.ts'
import { type Kind, keyOf } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { KubeObject, LabelSelector, OwnerReference } from '../kube/objects.ts'
import { selects } from '../kube/selects.ts'
import type { Task } from '../world/actor.ts'
import { RetryError } from './retry.ts'

type Owner = KubeObject & { spec: { selector: LabelSelector } }

interface Claim<T extends KubeObject> {
  readonly kube: Kube
  readonly ownerKind: Kind<Owner>
  readonly owner: Owner
  readonly kind: Kind<T>
  /** What an object must be besides matching the selector. */
  readonly belongs?: (object: T) => boolean
  /** Told of each object written: adopted or released. */
  readonly wrote?: (object: T) => void
}

/** The owner reference a controller puts on what it makes. */
export const controllerRef = (owner: KubeObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
})

/**
 * Which of `objects` are the owner's, after taking in those nobody controls that match and letting go of its own that do not.
 * All are tried; then the first failure is thrown. Follows pkg/controller/controller_ref_manager.go ClaimObject.
 */
export function* claim<T extends KubeObject>(objects: readonly T[], options: Claim<T>): Task<T[]> {
  const { owner } = options
  const { selector } = owner.spec
  const claimed: T[] = []
  let failure: unknown
  let recheck: { error?: unknown } | undefined
  for (const object of objects) {
    const ref = controllerOf(object)
    if (ref && ref.uid !== owner.metadata.uid) continue
    const matches = selects(selector, object.metadata.labels) && (options.belongs?.(object) ?? true)
    if (ref && matches) {
      claimed.push(object)
      continue
    }
    if (owner.metadata.deletionTimestamp || (!ref && (!matches || object.metadata.deletionTimestamp))) continue
    try {
      if (ref) yield* release(object, options)
      else {
        recheck ??= yield* recheckDeletion(options)
        if (recheck.error) throw recheck.error
        yield* adopt(object, options)
        claimed.push(object)
      }
    } catch (error) {
      if (!isApiError(error, 'NotFound')) failure ??= error
    }
  }
  if (failure) throw failure
  return claimed
}

/** A live look at the owner before the first adoption: the cache may not know yet that it is being deleted. */
export function* recheckDeletion({
  kube,
  ownerKind,
  owner,
}: Pick<Claim<KubeObject>, 'kube' | 'ownerKind' | 'owner'>): Task<{ error?: unknown }> {
  const { namespace, name, uid } = owner.metadata
  try {
    const { metadata } = yield* kube.read(ownerKind, keyOf(owner))
    if (metadata.uid !== uid) {
      const text = `original ${owner.kind} ${namespace}/${name} is gone: got uid ${metadata.uid}, wanted ${uid}`
      return { error: new RetryError(text) }
    }
    if (!metadata.deletionTimestamp) return {}
    return { error: new RetryError(`${namespace}/${name} has just been deleted at ${metadata.deletionTimestamp}`) }
  } catch (error) {
    return { error }
  }
}

function* adopt<T extends KubeObject>(object: T, { kube, kind, owner, wrote }: Claim<T>): Task {
  const { uid, resourceVersion, ownerReferences = [] } = object.metadata
  // a merge patch replaces the list whole, so it must be made from the server's version
  const metadata = { uid, resourceVersion, ownerReferences: [...ownerReferences, controllerRef(owner)] }
  const written = yield* kube.patch(kind, keyOf(object), { metadata })
  wrote?.(written)
}

function* release<T extends KubeObject>(object: T, { kube, kind, owner, wrote }: Claim<T>): Task {
  const { uid, resourceVersion } = object.metadata
  const left = (object.metadata.ownerReferences ?? []).filter((ref) => ref.uid !== owner.metadata.uid)
  try {
    const ownerReferences = left.length > 0 ? left : null
    const written = yield* kube.patch(kind, keyOf(object), { metadata: { uid, resourceVersion, ownerReferences } })
    wrote?.(written)
  } catch (error) {
    if (!isApiError(error, 'Invalid')) throw error
  }
}
