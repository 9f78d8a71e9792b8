import type { DeleteOptions } from '../kube/kube.ts'
import type { ObjectMeta } from '../kube/objects.ts'
import { fromRfc3339, seconds, toRfc3339, type Us } from '../world/time.ts'

const FOREGROUND = 'foregroundDeletion'
const ORPHAN = 'orphan'

/**
 * The metadata after a delete request: deletion timestamp, grace period and the garbage collector's finalizers.
 * The same object when the request changes nothing. Follows k8s.io/apiserver pkg/registry/rest/delete.go BeforeDelete and
 * pkg/registry/generic/registry/store.go deletionFinalizersForGarbageCollection.
 */
export function deletionOf(meta: ObjectMeta, options: DeleteOptions & { now: Us }): ObjectMeta {
  const finalizers = finalizersFor(meta.finalizers ?? [], options.propagationPolicy)
  const grace = Math.max(0, options.gracePeriodSeconds ?? 0)
  const already = meta.deletionTimestamp !== undefined
  const changedFinalizers = finalizers.join() !== (meta.finalizers ?? []).join()
  if (already && grace >= (meta.deletionGracePeriodSeconds ?? 0))
    return changedFinalizers ? { ...meta, finalizers } : meta
  // a second request may only shorten the time that is left
  const start = already
    ? fromRfc3339(meta.deletionTimestamp!) - seconds(meta.deletionGracePeriodSeconds ?? 0)
    : options.now
  const at = already ? Math.max(start + seconds(grace), options.now) : options.now + seconds(grace)
  return {
    ...meta,
    ...(finalizers.length > 0 ? { finalizers } : {}),
    deletionTimestamp: toRfc3339(at),
    deletionGracePeriodSeconds: grace,
    ...(meta.generation !== undefined && !already ? { generation: meta.generation + 1 } : {}),
  }
}

/** Nothing waits for this object any more: no finalizer, and no grace period somebody must end. */
export const mayBeRemoved = (meta: ObjectMeta): boolean =>
  meta.deletionTimestamp !== undefined &&
  (meta.deletionGracePeriodSeconds ?? 0) === 0 &&
  (meta.finalizers ?? []).length === 0

function finalizersFor(present: readonly string[], policy: DeleteOptions['propagationPolicy']): string[] {
  if (policy === undefined) return [...present]
  const rest = present.filter((f) => f !== FOREGROUND && f !== ORPHAN)
  if (policy === 'Foreground') return [...rest, FOREGROUND]
  return policy === 'Orphan' ? [...rest, ORPHAN] : rest
}
