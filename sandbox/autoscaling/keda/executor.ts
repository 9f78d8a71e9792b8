import { HorizontalPodAutoscaler } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { fromRfc3339, toRfc3339, type Us } from '../../world/time.ts'
import {
  cooldownOf,
  forcesActivation,
  initialCooldownOf,
  isPaused,
  minReplicasOf,
  pausesScaleIn,
  pausesScaleOut,
} from './spec.ts'
import { withCondition } from './status.ts'
import { currentReplicas, scaleTarget, textOf } from './target.ts'

/** What the triggers say. */
export interface Verdict {
  readonly active: boolean
  readonly failing: boolean
  /** Metric names of the triggers that are active. */
  readonly activeTriggers: readonly string[]
}

/** What is to be written to the status. */
export interface ScaleResult {
  conditions: o.KedaCondition[]
  lastActiveTime?: string
  triggersActivity: Record<string, { isActive: boolean }>
  error?: string
}

/** Scales the target to and from zero or idle; everything between is the HPA's. */
// follows pkg/scaling/executor/scale_scaledobjects.go RequestScale
export function* requestScale(
  object: o.ScaledObject,
  verdict: Verdict,
  context: { readonly kube: Kube; readonly clock: { readonly now: Us } },
): Task<ScaleResult> {
  const request = new Request(object, verdict, context.kube, context.clock)
  yield* request.run()
  return request.result
}

class Request {
  readonly result: ScaleResult
  private readonly object: o.ScaledObject
  private readonly verdict: Verdict
  private readonly kube: Kube
  private readonly clock: { readonly now: Us }

  constructor(object: o.ScaledObject, verdict: Verdict, kube: Kube, clock: { readonly now: Us }) {
    this.object = object
    this.verdict = verdict
    this.kube = kube
    this.clock = clock
    this.result = { conditions: [], triggersActivity: activityOf(object, verdict.activeTriggers) }
    this.set('Ready', 'True', 'ScaledObjectReady', 'ScaledObject is defined correctly and is ready for scaling')
  }

  *run(): Task {
    const { object, kube } = this
    let current: number
    try {
      current = currentReplicas(object, kube)
    } catch (error) {
      const message = `rror getting current replicas count for ScaleTarget: ${textOf(error)}`
      this.set('Ready', 'False', 'ErrorGettingCurrentReplicas', `E${message}`)
      this.result.error = `e${message}`
      return
    }
    if (isPaused(object)) return this.set('Paused', 'True', 'ScaledObjectPaused', 'ScaledObject is paused')
    if (this.verdict.active || forcesActivation(object)) yield* this.whileActive(current)
    else yield* this.whileInactive(current)
    const hpa = hpaHealth(object, kube)
    if (hpa) this.set('HPAActive', hpa.status, hpa.reason, hpa.message)
  }

  private set(type: o.KedaCondition['type'], status: o.KedaCondition['status'], reason: string, message: string): void {
    this.result.conditions = withCondition(this.result.conditions, type, status, reason, message)
  }

  private *whileActive(current: number): Task {
    const { object } = this
    const why = forcesActivation(object) ? 'activation is being forced by annotation' : 'triggers are active'
    this.set('Active', 'True', 'ScalerActive', `Scaling is performed because ${why}`)
    const fromIdle = object.spec.idleReplicaCount !== undefined && current < minReplicasOf(object)
    if (fromIdle || current === 0) yield* this.activate(current)
    else if (this.verdict.failing)
      this.set(
        'Ready',
        'Unknown',
        'PartialTriggerError',
        'Some triggers defined in ScaledObject are not working correctly',
      )
    else this.result.lastActiveTime = toRfc3339(this.clock.now)
  }

  private *whileInactive(current: number): Task {
    const { object } = this
    const { fallback, idleReplicaCount: idle } = object.spec
    const min = minReplicasOf(object)
    this.set('Active', 'False', 'ScalerNotActive', NOT_ACTIVE)
    // the HPA brings the fallback's replicas, and it does nothing for a target at zero
    if (this.verdict.failing && fallback && fallback.replicas !== 0) return
    if (this.verdict.failing && !fallback)
      return this.set('Ready', 'False', 'TriggerError', 'Triggers defined in ScaledObject are not working correctly')
    if ((idle !== undefined && current > idle) || (current > 0 && min === 0)) yield* this.deactivate(current)
    else if (idle === undefined && current < min) yield* this.raiseToMin(min)
  }

  private *raiseToMin(min: number): Task {
    try {
      yield* scaleTarget(this.object, min, this.kube)
    } catch (error) {
      this.fail(`error setting ScaleTarget replicas count to ScaledObject minReplicaCount: ${textOf(error)}`)
    }
  }

  private *activate(current: number): Task {
    const { object, kube } = this
    if (pausesScaleOut(object)) return
    const replicas = Math.max(minReplicasOf(object), 1)
    try {
      const from = yield* scaleTarget(object, replicas, kube)
      const cause = forcesActivation(object)
        ? 'caused by forced activation annotation'
        : `triggered by ${this.verdict.activeTriggers.join(';')}`
      const message = `Scaled ${named(object)} from ${from} to ${replicas}, ${cause}`
      kube.event(object, 'Normal', 'KEDAScaleTargetActivated', message)
      this.result.lastActiveTime = toRfc3339(this.clock.now)
    } catch (error) {
      const why = textOf(error)
      this.fail(`error activating ScaleTarget: ${why}`)
      const message = `Failed to scale ${named(object)} from ${current} to ${replicas}: ${why}`
      kube.event(object, 'Warning', 'KEDAScaleTargetActivationFailed', message)
    }
  }

  private *deactivate(current: number): Task {
    const { object, kube } = this
    if (pausesScaleIn(object)) return
    if (!hasCooledDown(object, this.clock.now))
      return this.set('Active', 'False', 'ScalerCooldown', 'Scaler cooling down because triggers are not active')
    const replicas = object.spec.idleReplicaCount ?? minReplicasOf(object)
    try {
      const from = yield* scaleTarget(object, replicas, kube)
      kube.event(
        object,
        'Normal',
        'KEDAScaleTargetDeactivated',
        `Deactivated ${named(object)} from ${from} to ${replicas}`,
      )
      this.set('Active', 'False', 'ScalerNotActive', NOT_ACTIVE)
    } catch (error) {
      const why = textOf(error)
      this.fail(`error deactivating ScaleTarget: ${why}`)
      const message = `Failed to deactivate ${named(object)} from ${current} to ${replicas}: ${why}`
      kube.event(object, 'Warning', 'KEDAScaleTargetDeactivationFailed', message)
    }
  }

  private fail(message: string): void {
    this.result.error = message
    this.set('Ready', 'False', 'ErrorScalingTarget', message)
  }
}

const NOT_ACTIVE = 'Scaling is not performed because triggers are not active'

const named = ({ status, metadata, spec }: o.ScaledObject): string =>
  `${status?.scaleTargetKind ?? ''} ${metadata.namespace}/${spec.scaleTargetRef.name}`

/** Whether the cooldown has passed; an object that never was active waits for its initial one, from its creation. */
function hasCooledDown(object: o.ScaledObject, now: Us): boolean {
  const last = object.status?.lastActiveTime
  if (last === undefined) return fromRfc3339(object.metadata.creationTimestamp) + initialCooldownOf(object) < now
  return fromRfc3339(last) + cooldownOf(object) < now
}

/** Per external metric, whether it is among the active ones. */
const activityOf = ({ status }: o.ScaledObject, active: readonly string[]): Record<string, { isActive: boolean }> =>
  Object.fromEntries((status?.externalMetricNames ?? []).map((name) => [name, { isActive: active.includes(name) }]))

interface HpaHealth {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** What the HPA says of itself; undefined while it says nothing. */
function hpaHealth(object: o.ScaledObject, kube: Kube): HpaHealth | undefined {
  const name = object.status?.hpaName
  const hpa = name ? kube.get(HorizontalPodAutoscaler, `${object.metadata.namespace}/${name}`) : undefined
  const scaling = hpa?.status?.conditions?.find(({ type }) => type === 'ScalingActive')
  if (!scaling) return undefined
  const message = scaling.message ?? ''
  if (scaling.status === 'True') return { status: 'True', reason: 'HPAActive', message: 'HPA is actively scaling' }
  if (scaling.reason === 'ScalingDisabled') return { status: 'True', reason: 'ScalingDisabled', message }
  const reason = scaling.reason || 'HPAMetricsUnavailable'
  return { status: 'False', reason, message: `HPA is not actively scaling: ${message}` }
}
