import { ApiError } from '../../kube/errors.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { KedaError } from './errors.ts'
import type { OperatorContext } from './operator-context.ts'
import type { ScaleHandler } from './scale-handler.ts'

/** What the controller remembers between passes. */
export interface Memory {
  /** The generation the running scale loop is for, by key. */
  readonly generations: Map<string, number | undefined>
  /** Kinds known to have a scale subresource, by kind id. */
  readonly scalable: Set<string>
}

export interface Reconcile extends OperatorContext {
  readonly handler: ScaleHandler
  readonly memory: Memory
}

/** The object as it is after each write, and the conditions that are written at the end. */
export interface Reconciled {
  object: o.ScaledObject
  conditions: o.KedaCondition[]
}

/** Runs a step whose errors of the API server are told with what was being done. Throws a KedaError. */
export function* step<T>(doing: string, task: Task<T>): Task<T> {
  try {
    return yield* task
  } catch (error) {
    if (error instanceof KedaError || error instanceof ApiError) throw new KedaError(`${doing}: ${error.message}`)
    throw error
  }
}
