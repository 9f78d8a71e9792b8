import { ApiError } from '../../kube/errors.ts'
import { keyOf, ScaledObject } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { type Actor, sleep, type Task } from '../../world/actor.ts'
import { ms } from '../../world/time.ts'
import { KedaError } from './errors.ts'
import { requestScale, type ScaleResult } from './executor.ts'
import type { Held, OperatorContext } from './operator-context.ts'
import { MetricRecords } from './records.ts'
import { ScalersCaches } from './scalers-cache.ts'
import { pollingIntervalOf } from './spec.ts'
import { stateOf } from './state.ts'
import { conditionOf, patchStatus, withCondition } from './status.ts'

/** Runs one loop for each ScaledObject that looks at its triggers every polling interval. */
// follows pkg/scaling/scale_handler.go
export class ScaleHandler {
  readonly caches: ScalersCaches
  readonly records = new MetricRecords()
  private readonly context: OperatorContext
  private readonly loops = new Map<string, Actor>()

  constructor(context: OperatorContext) {
    this.context = context
    this.caches = new ScalersCaches(context)
  }

  /** Starts the loop of an object, or starts it anew after a change. */
  start(object: o.ScaledObject): void {
    const { kube, world } = this.context
    const key = keyOf(object)
    const running = this.loops.get(key)
    if (running) {
      running.stop()
      this.forget(key)
    } else kube.event(object, 'Normal', 'KEDAScalersStarted', 'Started scalers watch')
    this.loops.set(key, world.spawn(`keda-operator/scale-loop/${key}`, this.loop(object)))
  }

  stop(object: o.ScaledObject): void {
    const key = keyOf(object)
    const running = this.loops.get(key)
    running?.stop()
    this.loops.delete(key)
    this.forget(key)
    if (running) this.context.kube.event(object, 'Normal', 'KEDAScalersStopped', 'Stopped scalers watch')
  }

  private forget(key: string): void {
    this.records.delete(key)
    this.caches.clear(key)
  }

  private *loop(object: o.ScaledObject): Task {
    const { clock } = this.context.world
    const held: Held = { object }
    const interval = pollingIntervalOf(object)
    for (;;) {
      const due = clock.now + interval
      yield* this.check(held)
      yield* sleep(Math.max(0, due - clock.now))
    }
  }

  /** One look at the triggers. Follows checkScalers. */
  private *check(held: Held): Task {
    const { kube, world } = this.context
    const key = keyOf(held.object)
    const fresh = kube.get(ScaledObject, key)
    if (!fresh) return
    held.object = fresh
    const wasFallingBack = conditionOf(fresh.status?.conditions, 'Fallback')?.status === 'True'
    try {
      const state = yield* stateOf(held, { caches: this.caches, records: this.records, kube })
      if (state.fallback !== wasFallingBack) this.tellFallback(held.object, state.fallback)
      const result = yield* requestScale(held.object, state, { kube, clock: world.clock })
      yield* this.write(held.object, result)
      if (state.records.size > 0) this.records.replace(key, state.records)
    } catch (error) {
      if (!(error instanceof KedaError)) throw error
      this.note(key, error.message)
    }
  }

  private tellFallback(object: o.ScaledObject, active: boolean): void {
    const [reason, message] = active
      ? ['ScaledObjectFallbackActivated', 'ScaledObject fallback is active']
      : ['ScaledObjectFallbackDeactivated', 'ScaledObject fallback is no longer active']
    this.context.kube.event(object, 'Normal', reason!, message!)
  }

  /** Puts a result into the status as it is now; tried again while others write. Follows handleResult. */
  private *write(object: o.ScaledObject, result: ScaleResult): Task {
    const { kube } = this.context
    const key = keyOf(object)
    if (result.error !== undefined) this.note(key, result.error)
    const before = object.status?.triggersActivity ?? {}
    for (let attempt = 0; attempt < RETRIES; attempt++) {
      const current = kube.get(ScaledObject, key)
      if (!current) return
      try {
        yield* patchStatus(current, withResult(current.status ?? {}, result, before), kube)
        return
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (error.reason !== 'Conflict') return this.note(key, `failed to update status: ${error.message}`)
        yield* sleep(ms(10))
      }
    }
  }

  private note(about: string, text: string): void {
    this.context.world.journal.append({ type: 'note', by: 'keda-operator', about, text })
  }
}

/** retry.DefaultRetry. */
const RETRIES = 5

/** A status with a result in it. Of the activity of triggers only what changed since `baseline` is touched. */
function withResult(
  status: o.ScaledObjectStatus,
  { conditions, lastActiveTime, triggersActivity }: ScaleResult,
  baseline: Record<string, { isActive: boolean }>,
): o.ScaledObjectStatus {
  let merged = [...(status.conditions ?? [])]
  for (const { type, status: state, reason = '', message = '' } of conditions)
    merged = withCondition(merged, type, state, reason, message)
  const activity = { ...status.triggersActivity }
  for (const [metric, value] of Object.entries(triggersActivity))
    if (baseline[metric]?.isActive !== value.isActive) activity[metric] = value
  for (const metric of Object.keys(baseline)) if (!(metric in triggersActivity)) delete activity[metric]
  const touched = status.triggersActivity !== undefined || Object.keys(activity).length > 0
  return {
    ...status,
    conditions: merged,
    ...(lastActiveTime === undefined ? {} : { lastActiveTime }),
    ...(touched ? { triggersActivity: activity } : {}),
  }
}
