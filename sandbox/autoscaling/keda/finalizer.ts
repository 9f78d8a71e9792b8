import { ApiError } from '../../kube/errors.ts'
import { ScaledObject } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import type { ScaleHandler } from './scale-handler.ts'
import { FINALIZER } from './spec.ts'
import { scaleTarget } from './target.ts'

/** Ends what KEDA does for an object that is being deleted, and lets it go. Fails with an ApiError. */
// follows controllers/keda/scaledobject_finalizer.go
export function* finalize(object: o.ScaledObject, kube: Kube, handler: ScaleHandler): Task {
  const { finalizers = [] } = object.metadata
  if (finalizers.includes(FINALIZER)) {
    handler.stop(object)
    yield* restoreReplicas(object, kube)
    const metadata = { ...object.metadata, finalizers: finalizers.filter((name) => name !== FINALIZER) }
    yield* kube.update(ScaledObject, { ...object, metadata })
  }
  kube.event(object, 'Warning', 'ScaledObjectDeleted', 'ScaledObject was deleted')
}

/** Where it is asked for, the target gets the replicas it had before KEDA; a failure is let be. */
function* restoreReplicas(object: o.ScaledObject, kube: Kube): Task {
  const { scaleTargetGVKR, originalReplicaCount } = object.status ?? {}
  if (!object.spec.advanced?.restoreToOriginalReplicaCount || !scaleTargetGVKR) return
  try {
    yield* scaleTarget(object, originalReplicaCount ?? 0, kube)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
