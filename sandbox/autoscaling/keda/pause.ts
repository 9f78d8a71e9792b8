import { HorizontalPodAutoscaler, keyOf } from '../../kube/kinds.ts'
import type { Task } from '../../world/actor.ts'
import { KedaError } from './errors.ts'
import { type Reconcile, type Reconciled, step } from './reconcile-context.ts'
import { hpaNameOf, pausedReplicasOf } from './spec.ts'
import { patchStatus, withCondition } from './status.ts'
import { scaleTarget, targetOf, textOf } from './target.ts'

const MESSAGE = 'ScaledObject is paused'

/** Stops the scale loop, deletes the HPA, and holds the target at a count where one is given. Throws a KedaError. */
// follows controllers/keda/scaledobject_controller.go handlePause
export function* handlePause(reconciled: Reconciled, wasPaused: boolean, context: Reconcile): Task<string> {
  const { kube, handler, memory } = context
  const pause = () => {
    reconciled.conditions = withCondition(reconciled.conditions, 'Paused', 'True', 'ScaledObjectPaused', MESSAGE)
  }
  if (!wasPaused) {
    pause()
    yield* step('failed to update paused status', setConditions(reconciled, context))
    kube.event(reconciled.object, 'Normal', 'ScaledObjectPaused', MESSAGE)
  }
  handler.stop(reconciled.object)
  memory.generations.delete(keyOf(reconciled.object))
  yield* step('failed to delete HPA for paused ScaledObject', deleteHpa(reconciled, context))
  yield* step('failed to scale target to paused replica count', scaleToPaused(reconciled, context))
  yield* step('failed to update paused replica count status', noteCount(reconciled, context))
  pause()
  return MESSAGE
}

function* setConditions(reconciled: Reconciled, { kube }: Reconcile): Task {
  const { object, conditions } = reconciled
  reconciled.object = yield* patchStatus(object, { ...object.status, conditions }, kube)
}

function* deleteHpa({ object }: Reconciled, { kube }: Reconcile): Task {
  const key = `${object.metadata.namespace}/${object.status?.hpaName || hpaNameOf(object)}`
  if (kube.get(HorizontalPodAutoscaler, key)) yield* kube.delete(HorizontalPodAutoscaler, key)
}

function* scaleToPaused({ object }: Reconciled, { kube }: Reconcile): Task {
  const count = parsedCount(object)
  if (count === undefined) return
  const { kind, key } = targetOf(object)
  const scale = yield* step('failed to get scale for target resource', kube.readScale(kind, key))
  if (scale.spec.replicas === count) return
  yield* step('failed to scale target to paused replica count', scaleTarget(object, count, kube))
}

function* noteCount(reconciled: Reconciled, { kube }: Reconcile): Task {
  const { object } = reconciled
  reconciled.object = yield* patchStatus(object, { ...object.status, pausedReplicaCount: parsedCount(object) }, kube)
}

function parsedCount(object: Reconciled['object']): number | undefined {
  try {
    return pausedReplicasOf(object)
  } catch (error) {
    throw new KedaError(`failed to parse paused replica count: ${textOf(error)}`)
  }
}
