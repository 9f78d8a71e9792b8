import { conflict, qualified } from '../kube/errors.ts'
import type { Kind } from '../kube/kinds.ts'
import type { DeleteOptions } from '../kube/kube.ts'
import type { ObjectMeta } from '../kube/objects.ts'
import { fromRfc3339, seconds, toRfc3339, type Us } from '../world/time.ts'

const FOREGROUND = 'foregroundDeletion'
const ORPHAN = 'orphan'

/** What a delete request does. */
export interface Deletion {
  /** The metadata to store first, if it changes. */
  readonly metadata: ObjectMeta
  /** Whether the object goes now. */
  readonly now: boolean
}

interface Request extends Pick<DeleteOptions, 'gracePeriodSeconds' | 'propagationPolicy'> {
  /** The grace period of a kind that supports one; undefined for the others. */
  readonly grace: number | undefined
  readonly now: Us
}

/**
 * What a delete does to metadata: deletion timestamp, grace period, the garbage collector's finalizers.
 * Follows k8s.io/apiserver pkg/registry/rest/delete.go BeforeDelete and pkg/registry/generic/registry/store.go Delete.
 */
export function deletionOf(meta: ObjectMeta, request: Request): Deletion {
  const already = meta.deletionTimestamp !== undefined
  const left = meta.deletionGracePeriodSeconds ?? 0
  const graceful = request.grace !== undefined && (!already || left > 0)
  if (graceful && already) {
    const asked = request.gracePeriodSeconds
    if (asked === undefined || Math.max(asked, asked < 0 ? 1 : 0) >= left) return { metadata: meta, now: false }
  }
  const finalizers = finalizersFor(meta.finalizers ?? [], request.propagationPolicy)
  const waits = finalizers.length > 0
  const withFinalizers =
    finalizers.join() === (meta.finalizers ?? []).join()
      ? meta
      : { ...meta, finalizers: waits ? finalizers : undefined }
  if (!graceful) return waits ? { metadata: markedAsDeleting(withFinalizers, request.now), now: false } : gone(meta)
  const marked = already ? shortened(withFinalizers, request) : started(withFinalizers, request.grace!, request.now)
  return { metadata: marked, now: !waits && marked.deletionGracePeriodSeconds === 0 }
}

const gone = (metadata: ObjectMeta): Deletion => ({ metadata, now: true })

function started(meta: ObjectMeta, grace: number, now: Us): ObjectMeta {
  return {
    ...meta,
    deletionTimestamp: toRfc3339(now + seconds(grace)),
    deletionGracePeriodSeconds: grace,
    ...(meta.generation === undefined ? {} : { generation: meta.generation + 1 }),
  }
}

/** A second request may only shorten the time that is left. */
function shortened(meta: ObjectMeta, { gracePeriodSeconds, now }: Request): ObjectMeta {
  let grace = gracePeriodSeconds! < 0 ? 1 : gracePeriodSeconds!
  let at = fromRfc3339(meta.deletionTimestamp!) - seconds(meta.deletionGracePeriodSeconds ?? 0) + seconds(grace)
  if (at < now) {
    at = now
    // time is up, but somebody else still has to finish it
    if (grace !== 0) grace = 1
  }
  return { ...meta, deletionTimestamp: toRfc3339(at), deletionGracePeriodSeconds: grace }
}

/** For kinds without a grace period that wait for finalizers. */
function markedAsDeleting(meta: ObjectMeta, now: Us): ObjectMeta {
  if (
    meta.deletionTimestamp !== undefined &&
    fromRfc3339(meta.deletionTimestamp) <= now &&
    meta.deletionGracePeriodSeconds === 0
  )
    return meta
  const first = meta.deletionTimestamp === undefined
  return {
    ...meta,
    deletionTimestamp: first || fromRfc3339(meta.deletionTimestamp!) > now ? toRfc3339(now) : meta.deletionTimestamp!,
    deletionGracePeriodSeconds: 0,
    ...(first && meta.generation !== undefined ? { generation: meta.generation + 1 } : {}),
  }
}

/** An update that empties the finalizers of an object nobody else waits for removes it. Follows ShouldDeleteDuringUpdate. */
export const goesWith = (after: ObjectMeta, before: ObjectMeta): boolean =>
  (after.finalizers ?? []).length === 0 &&
  before.deletionTimestamp !== undefined &&
  (before.deletionGracePeriodSeconds ?? 0) === 0

function finalizersFor(present: readonly string[], policy: DeleteOptions['propagationPolicy']): string[] {
  if (policy === undefined) return [...present]
  const rest = present.filter((f) => f !== FOREGROUND && f !== ORPHAN)
  if (policy === 'Foreground') return [...rest, FOREGROUND]
  return policy === 'Orphan' ? [...rest, ORPHAN] : rest
}

/** Throws Conflict for another uid or resourceVersion than was asked for. Follows pkg/registry/rest/delete.go BeforeDelete. */
export function checkDeletePreconditions(
  kind: Kind,
  { uid, resourceVersion, name }: ObjectMeta,
  asked: Pick<DeleteOptions, 'uid' | 'resourceVersion'>,
): void {
  if (asked.uid && asked.uid !== uid)
    throw conflict(
      qualified(kind),
      name,
      `the UID in the precondition (${asked.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    )
  if (asked.resourceVersion && asked.resourceVersion !== resourceVersion)
    throw conflict(
      qualified(kind),
      name,
      `the ResourceVersion in the precondition (${asked.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    )
}
