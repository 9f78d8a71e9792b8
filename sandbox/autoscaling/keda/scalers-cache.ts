import { keyOf, ScaledObject } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { authenticationOf } from './auth.ts'
import { KedaError } from './errors.ts'
import type { Formula } from './formula/formula.ts'
import { UnsupportedFormulaError } from './formula/syntax.ts'
import { formulaOf } from './modifiers.ts'
import type { Held, OperatorContext } from './operator-context.ts'
import { cpuMemoryScaler } from './scalers/cpu-memory.ts'
import { cronScaler } from './scalers/cron.ts'
import { prometheusScaler } from './scalers/prometheus.ts'
import type { Measured, Scaler } from './scalers/scaler.ts'
import { cachedTarget, textOf } from './target.ts'

/** The scalers of one ScaledObject, made for one generation of it. */
export interface ScalersCache {
  readonly generation: number | undefined
  readonly scalers: readonly BuiltScaler[]
  readonly formula: Formula | undefined
  readonly held: Held
}

export interface BuiltScaler {
  readonly trigger: o.ScaleTrigger
  /** The trigger's name, or its scaler's type. */
  readonly name: string
  readonly scaler: Scaler
}

/** Keeps the scalers of each ScaledObject until one of them fails or the object changes. */
// follows pkg/scaling/scale_handler.go performGetScalersCache and pkg/scaling/scalers_builder.go
export class ScalersCaches {
  private readonly context: OperatorContext
  private readonly caches = new Map<string, ScalersCache>()

  constructor(context: OperatorContext) {
    this.context = context
  }

  /** The scalers for this object; made anew for another generation. Throws a KedaError. */
  of(held: Held): ScalersCache {
    const known = this.caches.get(keyOf(held.object))
    return known && known.generation === held.object.metadata.generation ? known : this.build(held)
  }

  /** The scalers of an object by key, whatever their generation. Throws a KedaError. */
  byKey(key: string): ScalersCache {
    const known = this.caches.get(key)
    if (known) return known
    const object = this.context.kube.get(ScaledObject, key)
    if (!object) throw new KedaError(`ScaledObject.keda.sh "${key.slice(key.indexOf('/') + 1)}" not found`)
    return this.build({ object })
  }

  clear(key: string): void {
    this.caches.delete(key)
  }

  private build(held: Held): ScalersCache {
    const { object } = held
    cachedTarget(object, this.context.kube)
    const scalers = object.spec.triggers.map((trigger, i) => this.buildScaler(object, trigger, i))
    const formula = this.formulaOf(object)
    const cache = { generation: object.metadata.generation, scalers, formula, held }
    this.caches.set(keyOf(object), cache)
    return cache
  }

  private formulaOf(object: o.ScaledObject): Formula | undefined {
    try {
      return formulaOf(object)
    } catch (error) {
      if (!(error instanceof UnsupportedFormulaError)) throw error
      this.context.refused(object, `${error.construct} in a formula`)
      throw new KedaError(error.message)
    }
  }

  private buildScaler(object: o.ScaledObject, trigger: o.ScaleTrigger, index: number): BuiltScaler {
    const { kube } = this.context
    try {
      const scaler = this.scalerFor(object, trigger, index)
      kube.event(object, 'Normal', 'KEDAScalersStarted', `Scaler ${trigger.type} is built`)
      return { trigger, name: trigger.name || scaler.typeName, scaler }
    } catch (error) {
      kube.event(object, 'Warning', 'KEDAScalerFailed', textOf(error))
      throw error
    }
  }

  private scalerFor(object: o.ScaledObject, trigger: o.ScaleTrigger, index: number): Scaler {
    const { kube, world, prometheus } = this.context
    switch (trigger.type) {
      case 'cpu':
      case 'memory':
        return cpuMemoryScaler(trigger.type, trigger)
      case 'cron':
        return cronScaler(index, trigger, world.clock)
      case 'prometheus':
        return prometheusScaler(index, trigger, {
          clock: world.clock,
          prometheus,
          auth: authenticationOf(trigger, object.metadata.namespace ?? '', kube),
          refused: (query, message) => this.context.refused(object, `query ${query}: ${message}`),
        })
      default:
        this.context.refused(object, `trigger ${trigger.type}`)
        throw new KedaError(`no scaler found for type: ${trigger.type}`)
    }
  }
}

/** Asks a scaler, and once more where it fails. Follows pkg/scaling/cache/scalers_cache.go GetMetricsAndActivityForScaler. */
export function* measure({ scaler }: BuiltScaler): Task<Measured & { error?: string }> {
  try {
    return yield* scaler.measure()
  } catch (error) {
    if (!(error instanceof KedaError)) throw error
  }
  try {
    return yield* scaler.measure()
  } catch (error) {
    return { values: [], active: false, error: textOf(error) }
  }
}
