import type * as o from '../../kube/objects.ts'
import { seconds, type Us } from '../../world/time.ts'
import { KedaError } from './errors.ts'

/** Of what a ScaledObject says, what KEDA makes of it: defaults, pauses, checks. */
// follows apis/keda/v1alpha1/scaledobject_types.go, scaletriggers_types.go and withtriggers_types.go (KEDA 2.21)

type Annotated = Pick<o.ScaledObject, 'metadata'>
type Specified = Pick<o.ScaledObject, 'spec'>

export const OWNER_LABEL = 'scaledobject.keda.sh/name'
export const EXCLUDED_LABELS = 'scaledobject.keda.sh/hpa-excluded-labels'
export const FINALIZER = 'finalizer.keda.sh'
export const COMPOSITE_METRIC = 'composite-metric'
export const PAUSED = 'autoscaling.keda.sh/paused'
export const PAUSED_REPLICAS = 'autoscaling.keda.sh/paused-replicas'
export const PAUSED_SCALE_IN = 'autoscaling.keda.sh/paused-scale-in'
export const PAUSED_SCALE_OUT = 'autoscaling.keda.sh/paused-scale-out'
export const FORCE_ACTIVATION = 'autoscaling.keda.sh/force-activation'

const DEFAULT_POLLING_S = 30
const DEFAULT_MAX_REPLICAS = 100
const DEFAULT_COOLDOWN_S = 300

export const pollingIntervalOf = ({ spec }: Specified): Us => seconds(spec.pollingInterval ?? DEFAULT_POLLING_S)
export const cooldownOf = ({ spec }: Specified): Us => seconds(spec.cooldownPeriod ?? DEFAULT_COOLDOWN_S)
export const initialCooldownOf = ({ spec }: Specified): Us => seconds(spec.initialCooldownPeriod ?? 0)

export const minReplicasOf = ({ spec }: Specified): number => spec.minReplicaCount ?? 0
export const hpaMinReplicasOf = ({ spec }: Specified): number =>
  minReplicasOf({ spec }) > 0 ? minReplicasOf({ spec }) : 1
export const hpaMaxReplicasOf = ({ spec }: Specified): number => spec.maxReplicaCount ?? DEFAULT_MAX_REPLICAS

export const hpaNameOf = ({ metadata, spec }: o.ScaledObject): string =>
  spec.advanced?.horizontalPodAutoscalerConfig?.name || `keda-hpa-${metadata.name}`

/** Paused altogether: no scale loop and no HPA. */
export const isPaused = (object: Annotated): boolean =>
  object.metadata.annotations?.[PAUSED_REPLICAS] !== undefined || flag(object, PAUSED)
export const pausesScaleIn = (object: Annotated): boolean => flag(object, PAUSED_SCALE_IN)
export const pausesScaleOut = (object: Annotated): boolean => flag(object, PAUSED_SCALE_OUT)
export const forcesActivation = (object: Annotated): boolean => flag(object, FORCE_ACTIVATION)

/** The replicas to hold while paused; undefined: as many as there are. Throws a KedaError when it is not a number. */
export function pausedReplicasOf({ metadata }: Annotated): number | undefined {
  const text = metadata.annotations?.[PAUSED_REPLICAS]
  if (text === undefined) return undefined
  if (!/^[+-]?\d+$/.test(text)) throw new KedaError(`strconv.ParseInt: parsing "${text}": invalid syntax`)
  const count = Number(text)
  if (count > 2 ** 31 - 1 || count < -(2 ** 31))
    throw new KedaError(`strconv.ParseInt: parsing "${text}": value out of range`)
  return count
}

/** Whether `scalingModifiers` has anything in it. */
export const usesModifiers = ({ spec }: Specified): boolean =>
  Object.values(spec.advanced?.scalingModifiers ?? {}).some((value) => value !== '' && value !== undefined)

/** Whether KEDA's own loop may move the target, so that how often it looks matters. */
export const pollingMatters = (object: Specified): boolean =>
  minReplicasOf(object) === 0 ||
  object.spec.idleReplicaCount !== undefined ||
  object.spec.triggers.some((trigger) => trigger.useCachedMetrics)

/** Whether the loop takes what the HPA's queries saw instead of querying itself. */
export const usesHpaObservations = (object: Specified): boolean => !pollingMatters(object) && !usesModifiers(object)

export const fallsBackByModifiers = ({ spec }: Specified): boolean => spec.fallback?.behavior === 'scalingModifiers'

/** Whether the triggers tell nothing but cpu and memory. */
export const onlyResources = ({ spec }: Specified): boolean => spec.triggers.every(isResource)
export const isResource = ({ type }: o.ScaleTrigger): boolean => type === 'cpu' || type === 'memory'

/** Throws a KedaError when idle, min and max do not go together. */
export function checkReplicaBounds(object: Specified): void {
  const { minReplicaCount, idleReplicaCount } = object.spec
  const min = minReplicaCount === undefined ? 0 : hpaMinReplicasOf(object)
  const max = hpaMaxReplicasOf(object)
  if (min > max) throw new KedaError(`MinReplicaCount=${min} must be less than MaxReplicaCount=${max}`)
  if (idleReplicaCount !== undefined && idleReplicaCount >= min)
    throw new KedaError(`IdleReplicaCount=${idleReplicaCount} must be less than MinReplicaCount=${min}`)
}

/** Throws a KedaError when the triggers as a list are wrong. */
export function checkTriggers(triggers: readonly o.ScaleTrigger[]): void {
  if (triggers.length === 0) throw new KedaError('no triggers defined in the ScaledObject/ScaledJob')
  const names = new Set<string>()
  for (const trigger of triggers) {
    if (trigger.useCachedMetrics && (isResource(trigger) || trigger.type === 'cron'))
      throw new KedaError(`property "useCachedMetrics" is not supported for ${JSON.stringify(trigger.type)} scaler`)
    if (!trigger.name) continue
    if (names.has(trigger.name))
      throw new KedaError(
        `triggerName ${JSON.stringify(trigger.name)} is defined multiple times in the ScaledObject/ScaledJob, but it must be unique`,
      )
    names.add(trigger.name)
  }
}

/** Throws a KedaError when the fallback cannot work. */
export function checkFallback(object: Specified): void {
  const { fallback } = object.spec
  if (!fallback) return
  if (fallback.failureThreshold < 0 || fallback.replicas < 0)
    throw new KedaError(
      `FailureThreshold=${fallback.failureThreshold} & Replicas=${fallback.replicas} must both be greater than or equal to 0`,
    )
  if (!usesModifiers(object) && onlyResources(object))
    throw new KedaError(
      'at least one trigger (that is not cpu or memory) has to have the `AverageValue` type for the fallback to be enabled',
    )
}

const GO_TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const GO_FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']

/** As Go's strconv.ParseBool; undefined when it is none. */
export const parseBool = (text: string): boolean | undefined =>
  GO_TRUE.includes(text) ? true : GO_FALSE.includes(text) ? false : undefined

/** An annotation that is there and not a truth value counts as true. */
function flag({ metadata }: Annotated, name: string): boolean {
  const text = metadata.annotations?.[name]
  return text === undefined ? false : (parseBool(text) ?? true)
}
