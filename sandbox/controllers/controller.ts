import { ApiError } from '../kube/errors.ts'
import { controllerOf } from '../kube/indexes.ts'
import { type Kind, keyOf } from '../kube/kinds.ts'
import type { Handler, Kube } from '../kube/kube.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Actor, Task } from '../world/actor.ts'
import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { Expectations } from './expectations.ts'
import { WorkQueue } from './workqueue.ts'

/** What a controller is written from. One `reconcile` a key, several keys at once, never one key twice at once. */
export interface ControllerSpec {
  /** Upstream's name: `replicaset-controller`. Also names its client and its stream of chance. */
  readonly name: string
  /** Keys worked on side by side: upstream's `--concurrent-*-syncs`. */
  readonly workers: number
  readonly watches: readonly Watch[]
  /** Retries of a failing key before it is dropped; undefined: for ever. */
  readonly maxRetries?: number
  /** Makes a key's state what it should be. An `ApiError` thrown puts the key back with a delay; anything else is a bug. */
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
  readonly random: RandomStream
}

/** Which changes queue which keys. */
export type Watch = (context: ControllerContext) => void

/** The objects the controller is for: their own keys are queued. */
export const primary =
  <T extends KubeObject>(kind: Kind<T>): Watch =>
  ({ kube, queue, expectations }) => {
    kube.watch(kind, {
      added: (object) => queue.add(keyOf(object)),
      updated: (_, object) => queue.add(keyOf(object)),
      deleted: (object) => {
        expectations.forget(keyOf(object))
        queue.add(keyOf(object))
      },
    })
  }

/** Objects controlled by a primary: their controller's key is queued, and creations and deletions it waits for are noted. */
export const owned =
  <T extends KubeObject>(kind: Kind<T>, owner: Kind): Watch =>
  ({ kube, queue, expectations }) => {
    const ownerKey = (object: KubeObject): string | undefined => {
      const ref = controllerOf(object)
      if (ref?.kind !== owner.kind) return undefined
      const key = owner.namespaced ? `${object.metadata.namespace}/${ref.name}` : ref.name
      // an owner of the same name but another uid is another object
      const known = kube.get(owner, key)
      return known && known.metadata.uid !== ref.uid ? undefined : key
    }
    const noteDeletion = (key: string, object: KubeObject) => expectations.deletionObserved(key, keyOf(object))
    kube.watch(kind, {
      added(object) {
        const key = ownerKey(object)
        if (key === undefined) return
        if (object.metadata.deletionTimestamp) noteDeletion(key, object)
        else expectations.creationObserved(key)
        queue.add(key)
      },
      updated(before, object) {
        const key = ownerKey(object)
        const keyBefore = ownerKey(before)
        if (keyBefore !== undefined && keyBefore !== key) queue.add(keyBefore)
        if (key === undefined) return
        if (object.metadata.deletionTimestamp) noteDeletion(key, object)
        queue.add(key)
      },
      deleted(object) {
        const key = ownerKey(object)
        if (key === undefined) return
        noteDeletion(key, object)
        queue.add(key)
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
  const context: ControllerContext = {
    kube: options.kube.client(spec.name),
    world,
    get now() {
      return world.clock.now
    },
    queue: new WorkQueue(world.clock),
    expectations: new Expectations(world.clock),
    random: world.random(spec.name),
  }
  for (const watch of spec.watches) watch(context)
  return Array.from({ length: spec.workers }, (_, i) => world.spawn(`${spec.name}/${i}`, worker(spec, context)))
}

function* worker(spec: ControllerSpec, context: ControllerContext): Task {
  const { queue, world } = context
  for (;;) {
    const key = yield* queue.take()
    try {
      yield* spec.reconcile(key, context)
      queue.forget(key)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      world.journal.append({ type: 'note', by: spec.name, about: key, text: `${error.reason}: ${error.message}` })
      if (spec.maxRetries !== undefined && queue.requeues(key) >= spec.maxRetries) queue.forget(key)
      else queue.addRateLimited(key)
    } finally {
      queue.done(key)
    }
  }
}
