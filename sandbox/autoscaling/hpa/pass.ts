import type { ControllerContext } from '../../controllers/controller.ts'
import { equal } from '../../journal/merge-patch.ts'
import { isApiError } from '../../kube/errors.ts'
import { HorizontalPodAutoscaler, type Kind } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { sleep, type Task } from '../../world/actor.ts'
import { ms, toRfc3339 } from '../../world/time.ts'
import { type ConditionType, type Told, withCondition, withoutCondition } from './conditions.ts'
import type { Memory } from './memory.ts'
import { hasObjectOrExternal } from './metric-proposal.ts'
import { normalise } from './normalise.ts'
import type { HpaOptions } from './options.ts'
import { rememberScale } from './rates.ts'
import { type TargetError, targetKind } from './scale-target.ts'
import { messageOf } from './scaling-error.ts'
import { type Voice, wantedReplicas } from './wanted-replicas.ts'

export interface PassOptions {
  readonly hpa: o.HorizontalPodAutoscaler
  readonly key: string
  readonly context: ControllerContext
  readonly memory: Memory
  readonly options: HpaOptions
}

/** What is to become of the replicas, and why. */
interface Decision {
  replicas: number
  reason: string
  rescale: boolean
  metrics?: readonly o.MetricStatus[]
  /** Some metrics failed, not all. */
  failure?: string | undefined
}

const ABOVE_MAX = 'Current number of replicas above Spec.MaxReplicas'
const BELOW_MIN = 'Current number of replicas below Spec.MinReplicas'

/** One pass over one HPA. Follows pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler. */
export class Pass implements Voice {
  private readonly options: PassOptions
  private readonly hpa: o.HorizontalPodAutoscaler
  private conditions: readonly o.Condition[]

  constructor(options: PassOptions) {
    this.options = options
    this.hpa = options.hpa
    this.conditions = options.hpa.status.conditions ?? []
  }

  /** Returns what the controller's log says when something failed. */
  *run(): Task<string | undefined> {
    const { kube } = this.options.context
    const { kind, name } = this.hpa.spec.scaleTargetRef
    const { namespace } = this.hpa.metadata
    let target: Kind
    let scale: o.Scale
    try {
      target = targetKind(kube, this.hpa.spec.scaleTargetRef)
      scale = yield* kube.readScale(target, `${namespace}/${name}`)
    } catch (error) {
      const said = messageOf(error)
      this.warn('FailedGetScale', said)
      const message = `the HPA controller was unable to get the target's current scale: ${said}`
      this.tell('AbleToScale', 'False', 'FailedGetScale', message)
      yield* this.writeStatus({})
      const before = (error as Partial<TargetError>).before
      return `${before ?? `failed to query scale subresource for ${kind}/${namespace}/${name}`}: ${said}`
    }
    const message = "the HPA controller was able to get the target's current scale"
    this.tell('AbleToScale', 'True', 'SucceededGetScale', message)
    return yield* this.scale(target, scale)
  }

  tell(type: ConditionType, status: Told['status'], reason: string, message: string): void {
    this.conditions = withCondition(this.conditions, { type, status, reason, message }, this.options.context.now)
  }

  warn(reason: string, message: string): void {
    this.options.context.kube.event(this.hpa, 'Warning', reason, message)
  }

  private *scale(target: Kind, scale: o.Scale): Task<string | undefined> {
    const { memory, key, context } = this.options
    const current = scale.spec.replicas
    if (!memory.recommendations.has(key)) memory.recommendations.set(key, [{ replicas: current, at: context.now }])
    const decision = yield* this.decide(scale)
    if ('failed' in decision) {
      yield* this.writeStatus({ current, metrics: decision.metrics })
      this.warn('FailedComputeMetricsReplicas', decision.failed)
      return `failed to compute desired number of replicas based on listed metrics for ${this.reference}: ${decision.failed}`
    }
    const { replicas, reason, rescale, metrics, failure } = decision
    if (!rescale) return (yield* this.writeStatus({ current, desired: current, metrics })) ?? failure
    try {
      yield* this.rescale(target, scale, replicas)
    } catch (error) {
      const said = messageOf(error)
      this.warn('FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${said}`)
      const message = `the HPA controller was unable to update the target scale: ${said}`
      this.tell('AbleToScale', 'False', 'FailedUpdateScale', message)
      yield* this.writeStatus({ current, metrics })
      return `failed to rescale ${this.reference}: ${said}`
    }
    const message = `the HPA controller was able to update the target scale to ${replicas}`
    this.tell('AbleToScale', 'True', 'SucceededRescale', message)
    context.kube.event(this.hpa, 'Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`)
    rememberScale(memory, key, this.hpa.spec.behavior, { from: current, to: replicas, now: context.now })
    this.tellOfZero(current, replicas)
    const scaledAt = toRfc3339(context.now)
    return (yield* this.writeStatus({ current, desired: replicas, metrics, scaledAt })) ?? failure
  }

  /** Follows the cases of reconcileAutoscaler: at zero, out of bounds, by metrics. */
  private *decide(scale: o.Scale): Task<Decision | { failed: string; metrics: readonly o.MetricStatus[] | undefined }> {
    const { spec, status } = this.hpa
    const { scaleToZero } = this.options.options
    const min = spec.minReplicas ?? 1
    const current = scale.spec.replicas
    const scaledToZero =
      scaleToZero && (status.conditions ?? []).some((c) => c.type === 'ScaledToZero' && c.status === 'True')
    if (current === 0 && !(scaledToZero && (min !== 0 || hasObjectOrExternal(this.hpa)))) {
      const message = 'scaling is disabled since the replica count of the target is zero'
      this.tell('ScalingActive', 'False', 'ScalingDisabled', message)
      if (!scaleToZero) this.conditions = withoutCondition(this.conditions, 'ScaledToZero')
      return { replicas: 0, reason: '', rescale: false }
    }
    if (current > spec.maxReplicas) return { replicas: spec.maxReplicas, reason: ABOVE_MAX, rescale: true }
    if (current !== 0 && current < min) return { replicas: min, reason: BELOW_MIN, rescale: true }
    const wanted = yield* wantedReplicas({ ...this.options, scale, voice: this })
    if ('failed' in wanted) return wanted
    let reason = ''
    if (wanted.replicas > current) reason = `${wanted.replicas > 0 ? wanted.metric : ''} above target`
    if (Math.max(0, wanted.replicas) < current) reason = 'All metrics below target'
    let replicas = this.normalised(Math.max(0, wanted.replicas), current, min)
    if (current === 0 && min !== 0 && scaledToZero && replicas < min) {
      replicas = min
      reason ||= BELOW_MIN
    }
    const { metrics, failure } = wanted
    return { replicas, reason, rescale: replicas !== current, metrics, failure }
  }

  private normalised(wanted: number, current: number, min: number): number {
    const { memory, key, context, options } = this.options
    const { behavior, maxReplicas: max } = this.hpa.spec
    const { downscaleStabilization } = options
    const { now } = context
    const result = normalise({ key, memory, behavior, current, wanted, min, max, now, downscaleStabilization })
    for (const { type, status, reason, message } of result.conditions) this.tell(type, status, reason, message)
    return result.replicas
  }

  /** Follows k8s.io/client-go/util/retry RetryOnConflict with DefaultRetry: five tries, 10 ms apart. */
  private *rescale(target: Kind, read: o.Scale, replicas: number): Task {
    const { kube, random } = this.options.context
    let scale = read
    for (let tries = 1; ; tries++) {
      try {
        yield* kube.updateScale(target, { ...scale, spec: { replicas } })
        return
      } catch (error) {
        scale = yield* this.latest(target, scale)
        if (!isApiError(error, 'Conflict') || tries === 5) throw error
        yield* sleep(ms(10 * (1 + 0.1 * random.next())))
      }
    }
  }

  private *latest(target: Kind, scale: o.Scale): Task<o.Scale> {
    const { namespace, name } = scale.metadata
    try {
      return yield* this.options.context.kube.readScale(target, `${namespace}/${name}`)
    } catch (error) {
      messageOf(error)
      return scale
    }
  }

  private tellOfZero(from: number, to: number): void {
    if (!this.options.options.scaleToZero) this.conditions = withoutCondition(this.conditions, 'ScaledToZero')
    else if (from > 0 && to === 0 && this.hpa.spec.minReplicas === 0 && hasObjectOrExternal(this.hpa))
      this.tell('ScaledToZero', 'True', 'ScaledToZero', 'the HPA controller scaled the workload to zero')
    else this.tell('ScaledToZero', 'False', 'NotScaledToZero', 'the HPA controller did not scale the workload to zero')
  }

  private get reference(): string {
    const { kind, name } = this.hpa.spec.scaleTargetRef
    return `${kind}/${this.hpa.metadata.namespace}/${name}`
  }

  /**
   * Writes the status when it differs. Without `current`, its numbers stay as they are. Returns what failed.
   * Follows setStatus and updateStatusIfNeeded.
   */
  private *writeStatus(now: {
    current?: number
    desired?: number
    metrics?: readonly o.MetricStatus[] | undefined
    scaledAt?: string
  }): Task<string | undefined> {
    const { status: before } = this.hpa
    const { current, desired = before.desiredReplicas ?? 0, metrics, scaledAt = before.lastScaleTime } = now
    const conditions = [...this.conditions]
    const status: o.HorizontalPodAutoscaler['status'] =
      current === undefined
        ? { ...before, conditions }
        : {
            ...(scaledAt === undefined ? {} : { lastScaleTime: scaledAt }),
            ...(current === 0 ? {} : { currentReplicas: current }),
            desiredReplicas: desired,
            ...(metrics && metrics.length > 0 ? { currentMetrics: [...metrics] } : {}),
            conditions,
          }
    if (equal(before, status)) return undefined
    try {
      yield* this.options.context.kube.updateStatus(HorizontalPodAutoscaler, { ...this.hpa, status })
      return undefined
    } catch (error) {
      const said = messageOf(error)
      this.warn('FailedUpdateStatus', said)
      return `failed to update status for ${this.hpa.metadata.name}: ${said}`
    }
  }
}
