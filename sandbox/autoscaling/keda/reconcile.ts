import { ApiError } from '../../kube/errors.ts'
import { HorizontalPodAutoscaler, keyOf, ScaledObject } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { KedaError } from './errors.ts'
import { differs, hpaFor, metricPlan } from './hpa.ts'
import { handlePause } from './pause.ts'
import { type Reconcile, type Reconciled, step } from './reconcile-context.ts'
import {
  COMPOSITE_METRIC,
  checkReplicaBounds,
  checkTriggers,
  hpaNameOf,
  isPaused,
  OWNER_LABEL,
  PAUSED,
  PAUSED_REPLICAS,
  pausesScaleIn,
  pausesScaleOut,
} from './spec.ts'
import { conditionOf, patchStatus, withCondition } from './status.ts'
import { missingTarget, targetOf } from './target.ts'

const PAUSED_MESSAGE = 'ScaledObject is paused'
const BAD_TARGET = "ScaledObject doesn't have correct scaleTargetRef specification"

/** Gives what is said when all is well. Throws a KedaError or fails with one that says what was being done. */
// follows controllers/keda/scaledobject_controller.go reconcileScaledObject
export function* reconcileScaledObject(reconciled: Reconciled, context: Reconcile): Task<string> {
  const wasPaused = conditionOf(reconciled.conditions, 'Paused')?.status === 'True'
  if (isPaused(reconciled.object)) return yield* handlePause(reconciled, wasPaused, context)
  yield* oneWayPause(reconciled, wasPaused, context)
  if (!reconciled.object.spec.scaleTargetRef.name)
    throw new KedaError(`${BAD_TARGET}: ScaledObject.spec.scaleTargetRef.name is missing`)
  yield* step('failed to update ScaledObject with scaledObjectName label', ensureLabel(reconciled, context))
  yield* step(BAD_TARGET, ensureScalable(reconciled, context))
  check("ScaledObject doesn't have correct Idle/Min/Max Replica Counts specification", () =>
    checkReplicaBounds(reconciled.object),
  )
  check("ScaledObject doesn't have correct triggers specification", () =>
    checkTriggers(reconciled.object.spec.triggers),
  )
  yield* step(
    "Cannot update ScaledObject status with triggers'types and authentications'types",
    setStatus(reconciled, typesOf(reconciled.object), context),
  )
  const created = yield* step(
    'failed to ensure HPA is correctly created for ScaledObject',
    ensureHpa(reconciled, context),
  )
  startLoop(reconciled.object, created, context)
  return 'ScaledObject is defined correctly and is ready for scaling'
}

function* setStatus(reconciled: Reconciled, change: Partial<o.ScaledObjectStatus>, { kube }: Reconcile): Task {
  reconciled.object = yield* patchStatus(reconciled.object, { ...reconciled.object.status, ...change }, kube)
}

function check(what: string, holds: () => void): void {
  try {
    holds()
  } catch (error) {
    throw error instanceof KedaError ? new KedaError(`${what}: ${error.message}`) : error
  }
}

/** Pauses of one direction are told but stop nothing; a pause that is over is cleared. */
function* oneWayPause(reconciled: Reconciled, wasPaused: boolean, context: Reconcile): Task {
  const { object } = reconciled
  const set = (status: 'True' | 'False', reason: string, message: string) => {
    reconciled.conditions = withCondition(reconciled.conditions, 'Paused', status, reason, message)
  }
  if (pausesScaleIn(object) || pausesScaleOut(object)) {
    set('True', 'ScaledObjectPaused', PAUSED_MESSAGE)
    if (!wasPaused) context.kube.event(object, 'Normal', 'ScaledObjectPaused', PAUSED_MESSAGE)
  } else if (wasPaused) {
    const message = 'pause annotation removed for ScaledObject'
    set('False', 'ScaledObjectUnpaused', message)
    context.kube.event(object, 'Normal', 'ScaledObjectUnpaused', message)
    yield* step(
      'failed to clear paused replica count status',
      setStatus(reconciled, { pausedReplicaCount: undefined }, context),
    )
  }
}

function* ensureLabel(reconciled: Reconciled, { kube }: Reconcile): Task {
  const { metadata } = reconciled.object
  if (metadata.labels?.[OWNER_LABEL] === metadata.name) return
  reconciled.object = yield* kube.update(ScaledObject, {
    ...reconciled.object,
    metadata: { ...metadata, labels: { ...metadata.labels, [OWNER_LABEL]: metadata.name } },
  })
}

/** Looks for the target and its scale, and notes the replicas it had first. Follows checkTargetResourceIsScalable. */
function* ensureScalable(reconciled: Reconciled, context: Reconcile): Task {
  const { object } = reconciled
  const { status = {}, metadata } = object
  const target = targetOf(object)
  const { kind } = target
  const known = status.scaleTargetGVKR
  const statusGvk = known ? `${known.group ? `${known.group}/` : ''}${known.version}.${known.kind}` : ''
  const annotated = metadata.annotations?.[PAUSED] ?? metadata.annotations?.[PAUSED_REPLICAS]
  const wantsStatus =
    status.scaleTargetKind !== target.gvk ||
    statusGvk !== target.gvk ||
    status.originalReplicaCount === undefined ||
    (status.pausedReplicaCount !== undefined && annotated === undefined)
  if (!wantsStatus && context.memory.scalable.has(kind.id)) return
  const replicas = yield* replicasOf(object, context)
  context.memory.scalable.add(kind.id)
  if (!wantsStatus) return
  const change: Partial<o.ScaledObjectStatus> = { scaleTargetKind: target.gvk, scaleTargetGVKR: target.gvkr }
  if (status.originalReplicaCount === undefined) change.originalReplicaCount = replicas
  if (annotated === undefined) change.pausedReplicaCount = undefined
  yield* setStatus(reconciled, change, context)
}

function* replicasOf(object: o.ScaledObject, { kube }: Reconcile): Task<number> {
  const target = targetOf(object)
  try {
    return (yield* kube.readScale(target.kind, target.key)).spec.replicas
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const exists = kube.get(target.kind, target.key) !== undefined
    const message = exists ? "Target resource doesn't expose /scale subresource" : "Target resource doesn't exist"
    kube.event(object, 'Warning', 'ScaledObjectCheckFailed', message)
    throw exists ? error : missingTarget(target, object.spec.scaleTargetRef.name)
  }
}

/** Follows CombinedTriggersAndAuthenticationsTypes. */
function typesOf({ spec }: o.ScaledObject): Partial<o.ScaledObjectStatus> {
  const types = new Set(spec.triggers.map(({ type }) => type))
  const names = new Set(spec.triggers.flatMap(({ authenticationRef }) => authenticationRef?.name ?? []))
  return { triggersTypes: [...types].join(','), authenticationsTypes: [...names].join(',') }
}

/** Makes the HPA, or brings it up to date; true when it is new. */
function* ensureHpa(reconciled: Reconciled, context: Reconcile): Task<boolean> {
  const { kube } = context
  const { namespace } = reconciled.object.metadata
  const name = reconciled.object.status?.hpaName || hpaNameOf(reconciled.object)
  const found = kube.get(HorizontalPodAutoscaler, `${namespace}/${name}`)
  const renamed = found !== undefined && found.metadata.name !== hpaNameOf(reconciled.object)
  if (renamed) yield* kube.delete(HorizontalPodAutoscaler, keyOf(found))
  const wanted = yield* wantedHpa(reconciled, context)
  if (!found || renamed) {
    yield* kube.create(HorizontalPodAutoscaler, wanted)
    yield* setStatus(reconciled, { hpaName: wanted.metadata.name }, context)
    return true
  }
  if (differs(wanted, found)) {
    const { resourceVersion: _, annotations: __, ...kept } = found.metadata
    const metadata = { ...kept, ...wanted.metadata } as o.ObjectMeta
    yield* kube.update(HorizontalPodAutoscaler, { ...found, spec: wanted.spec, metadata })
  }
  yield* setStatus(reconciled, { hpaName: name }, context)
  return false
}

function* wantedHpa(reconciled: Reconciled, context: Reconcile): Task<ReturnType<typeof hpaFor>> {
  const cache = context.handler.caches.of({ object: reconciled.object })
  const plan = metricPlan(
    reconciled.object,
    cache.scalers.map(({ scaler }) => scaler.metricSpec),
  )
  const health = Object.entries(reconciled.object.status?.health ?? {}).filter(([metric]) =>
    plan.external.includes(metric),
  )
  const change: Partial<o.ScaledObjectStatus> = {
    externalMetricNames: plan.external.length > 0 ? [...plan.external] : undefined,
    resourceMetricNames: plan.resource.length > 0 ? [...plan.resource] : undefined,
    health: health.length > 0 ? Object.fromEntries(health) : undefined,
    ...(plan.composite ? { compositeScalerName: COMPOSITE_METRIC } : {}),
  }
  yield* setStatus(reconciled, change, context)
  return hpaFor(reconciled.object, plan.specs)
}

/** A new HPA or a changed spec starts the scale loop anew. */
function startLoop(object: o.ScaledObject, created: boolean, { handler, memory }: Reconcile): void {
  const key = keyOf(object)
  const { generation } = object.metadata
  if (!created && memory.generations.has(key) && memory.generations.get(key) === generation) return
  handler.start(object)
  memory.generations.set(key, generation)
}
