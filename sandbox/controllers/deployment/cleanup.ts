import { isApiError } from '../../kube/errors.ts'
import { keyOf, ReplicaSet } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { byRevision } from './revision.ts'
import { hasRevisionHistoryLimit, type Pass } from './working-copy.ts'

/** Deletes the oldest empty ReplicaSets beyond `revisionHistoryLimit`. Follows cleanupDeployment in pkg/controller/deployment/sync.go. */
export function* cleanUpOldSets({ d, context }: Pass, old: readonly o.ReplicaSet[]): Task {
  if (!hasRevisionHistoryLimit(d)) return
  const alive = old.filter((rs) => !rs.metadata.deletionTimestamp)
  const surplus = Math.max(0, alive.length - d.spec.revisionHistoryLimit)
  for (const rs of [...alive].sort(byRevision).slice(0, surplus)) {
    const { spec, status, metadata } = rs
    if (status.replicas !== 0 || spec.replicas !== 0) continue
    if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) continue
    try {
      yield* context.kube.delete(ReplicaSet, keyOf(rs))
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  }
}
