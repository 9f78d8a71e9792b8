import { ApiError } from '../kube/errors.ts'
import { type Kind, keyOf } from '../kube/kinds.ts'
import type { Handler, Kube } from '../kube/kube.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Actor, Task } from '../world/actor.ts'
import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { Consistency } from './consistency.ts'
import { Expectations } from './expectations.ts'
import { RetryError } from './retry.ts'
import { WorkQueue } from './workqueue.ts'

/** What a controller is written from. One `reconcile` a key, several keys at once, never one key twice at once. */
export interface ControllerSpec {
  /** Upstream's name: `replicaset-controller`. Also names its client and its stream of chance. */
  readonly name: string
  /** Keys worked on side by side: upstream's `--concurrent-*-syncs`. */
  readonly workers: number
  readonly watches: readonly Watch[]
  /** Kinds whose caches must have the controller's own writes for a key before that key is worked on again. */
  readonly consistentWith?: readonly Kind[]
  /** Retries of a failing key before it is dropped; undefined: for ever. */
  readonly maxRetries?: number
  /** The delay after a key's first failure; 5 ms where it is not given. */
  readonly retryDelay?: Us
  /**
   * Makes a key's state what it should be. An `ApiError` or `RetryError` thrown puts the key back with a delay; anything else
   * is a bug.
   */
  reconcile(key: string, context: ControllerContext): Task
}

/** Declares a controller. */
export const controller = (spec: ControllerSpec): ControllerSpec => spec

export interface ControllerContext {
  readonly kube: Kube
  readonly world: World
  readonly now: Us
  readonly queue: WorkQueue
  readonly expectations: Expectations
  readonly consistency: Consistency
  readonly random: RandomStream
}

/** Which changes queue which keys. */
export type Watch = (context: ControllerContext) => void

/** The objects the controller is for: their own keys are queued. */
export const primary =
  <T extends KubeObject>(kind: Kind<T>): Watch =>
  ({ kube, queue, expectations, consistency }) => {
    const gone = (object: T) => {
      consistency.clear(keyOf(object), object.metadata.uid)
      expectations.forget(keyOf(object))
    }
    kube.watch(kind, {
      added: (object) => queue.add(keyOf(object)),
      updated(before, object) {
        if (before.metadata.uid !== object.metadata.uid) gone(before)
        queue.add(keyOf(object))
      },
      deleted(object) {
        gone(object)
        queue.add(keyOf(object))
      },
    })
  }

/** Anything else: `handler` is given the queue. */
export const watching =
  <T extends KubeObject>(kind: Kind<T>, handler: (context: ControllerContext) => Handler<T>): Watch =>
  (context) => {
    context.kube.watch(kind, handler(context))
  }

/** Starts a controller's workers on a process's Kube. Returns how to stop them. */
export function runController(spec: ControllerSpec, options: { world: World; kube: Kube }): Actor[] {
  const { world } = options
  const kube = options.kube.client(spec.name)
  const context: ControllerContext = {
    kube,
    world,
    get now() {
      return world.clock.now
    },
    queue: new WorkQueue(world.clock, { baseDelay: spec.retryDelay }),
    expectations: new Expectations(world.clock),
    consistency: new Consistency(kube, spec.consistentWith ?? []),
    random: world.random(spec.name),
  }
  for (const watch of spec.watches) watch(context)
  return Array.from({ length: spec.workers }, (_, i) => world.spawn(`${spec.name}/${i}`, worker(spec, context)))
}

function* worker(spec: ControllerSpec, context: ControllerContext): Task {
  const { queue, world, consistency } = context
  for (;;) {
    const key = yield* queue.take()
    try {
      consistency.ensureReady(key)
      yield* spec.reconcile(key, context)
      queue.forget(key)
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof RetryError)) throw error
      if (!(error instanceof RetryError && error.quiet))
        world.journal.append({ type: 'note', by: spec.name, about: key, text: textOf(error) })
      if (spec.maxRetries !== undefined && queue.requeues(key) >= spec.maxRetries) queue.forget(key)
      else queue.addRateLimited(key)
    } finally {
      queue.done(key)
    }
  }
}

const textOf = (error: ApiError | RetryError): string =>
  error instanceof ApiError ? `${error.reason}: ${error.message}` : error.message
