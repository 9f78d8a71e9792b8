import { type ControllerContext, type ControllerSpec, controller, type Watch } from '../../controllers/controller.ts'
import { RetryError } from '../../controllers/retry.ts'
import { equal } from '../../journal/merge-patch.ts'
import { HorizontalPodAutoscaler, keyOf, ScaledObject } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { KedaError } from './errors.ts'
import { isValidFallback } from './fallback.ts'
import { finalize } from './finalizer.ts'
import type { OperatorContext } from './operator-context.ts'
import { reconcileScaledObject } from './reconcile.ts'
import type { Memory, Reconcile, Reconciled } from './reconcile-context.ts'
import type { ScaleHandler } from './scale-handler.ts'
import { FINALIZER, FORCE_ACTIVATION, PAUSED, PAUSED_REPLICAS, PAUSED_SCALE_IN, PAUSED_SCALE_OUT } from './spec.ts'
import { areInitialized, conditionOf, INITIAL_CONDITIONS, patchStatus, withCondition } from './status.ts'

/** Makes and keeps the HPA of each ScaledObject, and starts and stops its scale loop. */
// follows controllers/keda/scaledobject_controller.go
export function scaledObjectController(context: OperatorContext, handler: ScaleHandler): ControllerSpec {
  const memory: Memory = { generations: new Map(), scalable: new Set(['deployments.apps', 'statefulsets.apps']) }
  return controller({
    name: 'scaledobject',
    // KEDA_SCALEDOBJECT_CTRL_MAX_RECONCILES
    workers: 5,
    watches: [scaledObjects, ownHpas],
    *reconcile(key, { kube }) {
      const object = kube.get(ScaledObject, key)
      if (!object) return
      if (object.metadata.deletionTimestamp) {
        memory.generations.delete(key)
        yield* finalize(object, kube, handler)
        return
      }
      yield* reconcileOne(object, { ...context, kube, handler, memory })
    },
  })
}

/** Says what is wrong in the conditions, and fails so that the key comes back. */
function* reconcileOne(given: o.ScaledObject, context: Reconcile): Task {
  const { kube } = context
  let object = yield* withFinalizer(given, context)
  if (!areInitialized(object.status?.conditions))
    object = yield* patchStatus(object, { ...object.status, conditions: [...INITIAL_CONDITIONS] }, kube)
  const reconciled: Reconciled = { object, conditions: [...(object.status?.conditions ?? [])] }
  const set = (...condition: Condition) => {
    reconciled.conditions = withCondition(reconciled.conditions, ...condition)
  }
  let failure: string | undefined
  try {
    const message = yield* reconcileScaledObject(reconciled, context)
    if (conditionOf(reconciled.conditions, 'Ready')?.status !== 'True')
      kube.event(reconciled.object, 'Normal', 'ScaledObjectReady', 'ScaledObject is ready for scaling')
    set('Ready', 'True', 'ScaledObjectReady', message)
  } catch (error) {
    if (!(error instanceof KedaError)) throw error
    failure = error.message
    set('Ready', 'False', 'ScaledObjectCheckFailed', failure)
    set('Active', 'Unknown', 'UnknownState', 'ScaledObject check failed')
    kube.event(reconciled.object, 'Warning', 'ScaledObjectCheckFailed', failure)
  }
  if (!isValidFallback(reconciled.object))
    set('Fallback', 'False', 'NoFallbackFound', 'No fallbacks are active on this scaled object')
  const { object: latest, conditions } = reconciled
  yield* patchStatus(latest, { ...latest.status, conditions }, kube)
  if (failure !== undefined) throw new RetryError(failure)
}

type Condition = Parameters<typeof withCondition> extends [unknown, ...infer Rest] ? Rest : never

function* withFinalizer(object: o.ScaledObject, { kube }: Reconcile): Task<o.ScaledObject> {
  const finalizers = object.metadata.finalizers ?? []
  if (finalizers.includes(FINALIZER)) return object
  return yield* kube.update(ScaledObject, {
    ...object,
    metadata: { ...object.metadata, finalizers: [...finalizers, FINALIZER] },
  })
}

const WATCHED_ANNOTATIONS = [PAUSED, PAUSED_REPLICAS, PAUSED_SCALE_IN, PAUSED_SCALE_OUT, FORCE_ACTIVATION]

/** Changes of status alone do not queue, but for becoming ready. Follows controllers/keda/util/predicate.go. */
const scaledObjects: Watch = ({ kube, queue }) => {
  const add = (object: o.ScaledObject) => queue.add(keyOf(object))
  kube.watch(ScaledObject, {
    added: add,
    deleted: add,
    updated(before, object) {
      const [was, is] = [before.metadata, object.metadata]
      const ready = ({ status }: o.ScaledObject) => conditionOf(status?.conditions, 'Ready')?.status === 'True'
      const annotated = WATCHED_ANNOTATIONS.some(
        (name) => (was.annotations?.[name] ?? '') !== (is.annotations?.[name] ?? ''),
      )
      if (annotated || was.generation !== is.generation || (!ready(before) && ready(object))) add(object)
    },
  })
}

/** HPAs queue the ScaledObject that controls them, when anything but their status changes. */
const ownHpas: Watch = ({ kube, queue }: ControllerContext) => {
  const add = ({ metadata }: o.HorizontalPodAutoscaler) => {
    const owner = metadata.ownerReferences?.find(({ controller: controls }) => controls)
    if (owner?.kind === 'ScaledObject') queue.add(`${metadata.namespace}/${owner.name}`)
  }
  kube.watch(HorizontalPodAutoscaler, {
    added: add,
    deleted: add,
    updated(before, hpa) {
      const { labels, annotations } = before.metadata
      const same =
        equal(before.spec, hpa.spec) &&
        equal(labels, hpa.metadata.labels) &&
        equal(annotations, hpa.metadata.annotations)
      if (!same) add(hpa)
    },
  })
}
