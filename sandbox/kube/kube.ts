import type { Task } from '../world/actor.ts'
import type { Kind } from './kinds.ts'
import type { Draft, KubeObject, LabelSelector, Scale } from './objects.ts'

/**
 * How an actor sees a cluster. Reads come from a local cache that lags behind the server; objects are frozen. Writes are requests
 * that return later, may fail with an `ApiError`, and need not be visible in one's own next read.
 */
export interface Kube {
  /** The process this client belongs to: `kube-scheduler`, `kubelet/gpu-3`. */
  readonly process: string

  get<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined
  /** In the order in which the cache came to know them. */
  list<T extends KubeObject>(kind: Kind<T>, filter?: ListFilter): readonly T[]
  /** The cached objects for which the index gives `value`, in the order in which the cache came to know them. */
  indexed<T extends KubeObject>(index: Index<T>, value: string): readonly T[]
  /** Calls back for what the cache holds and then for each change of it, after the cache has it. Returns how to stop. */
  watch<T extends KubeObject>(kind: Kind<T>, handler: Handler<T>): () => void

  /** A live read, past the cache. Fails with NotFound. */
  read<T extends KubeObject>(kind: Kind<T>, key: string): Task<T>
  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>): Task<T>
  /** Replaces; fails with Conflict unless `metadata.resourceVersion` is the server's. Status is left as it is. */
  update<T extends KubeObject>(kind: Kind<T>, object: T): Task<T>
  /** Replaces the status alone, with the same check. */
  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Task<T>
  /**
   * Applies a JSON merge patch. With `metadata.resourceVersion` in it, fails with Conflict when it differs; with
   * `metadata.uid`, fails with Invalid (as upstream: a patch has no precondition, but a uid never changes).
   */
  patch<T extends KubeObject>(kind: Kind<T>, key: string, patch: unknown, options?: PatchOptions): Task<T>
  delete<T extends KubeObject>(kind: Kind<T>, key: string, options?: DeleteOptions): Task<void>
  /** `pods/binding`: assigns a pod to a node. Conflict when it already has one. */
  bind(podKey: string, uid: string, nodeName: string): Task<void>

  /**
   * `pods/eviction`: deletes a pod as far as its PodDisruptionBudget allows. Fails with TooManyRequests (why is in
   * `details.causes`), with InternalError when several budgets select the pod, with Conflict on another uid, with NotFound.
   */
  evict(podKey: string, options?: EvictOptions): Task

  /**
   * The `scale` subresource of a Deployment, ReplicaSet, StatefulSet or a custom resource that has one, read live. Fails with
   * NotFound when the object or its subresource is not there.
   */
  readScale(kind: Kind, key: string): Task<Scale>
  /** Sets the replicas; fails with Conflict unless `metadata.resourceVersion`, where it is given, is the server's. */
  updateScale(kind: Kind, scale: Scale): Task<Scale>

  /** Records an Event about an object. Never fails and never waits: events are sent from a queue of their own. */
  event(about: KubeObject, level: 'Normal' | 'Warning', reason: string, message: string): void

  /** A client with a token bucket of its own over the same cache, as each controller of a controller manager has one. */
  client(name: string): Kube
}

export interface ListFilter {
  namespace?: string
  selector?: LabelSelector
}

/** A way to find cached objects: declare once, as a constant. */
export interface Index<T extends KubeObject> {
  readonly kind: Kind<T>
  readonly name: string
  values(object: T): readonly string[]
}

export interface Handler<T extends KubeObject> {
  added?(object: T): void
  updated?(before: T, after: T): void
  deleted?(object: T): void
}

export interface PatchOptions {
  subresource?: 'status'
}

export interface EvictOptions {
  /** Checks the budget and changes nothing. */
  dryRun?: boolean
  gracePeriodSeconds?: number
  uid?: string
  resourceVersion?: string
}

export interface DeleteOptions {
  uid?: string
  resourceVersion?: string
  gracePeriodSeconds?: number
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}
