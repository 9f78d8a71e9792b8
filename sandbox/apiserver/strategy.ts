import type { Kind } from '../kube/kinds.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { RandomStream } from '../world/random.ts'

/**
 * What the API server does for one kind before it stores an object: defaulting, admission, cleaning and validation.
 * Follows the strategies of pkg/registry. Functions return new objects and never change what they are given.
 */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** Fills in what the client left out. Follows pkg/apis/<group>/<version>/defaults.go. */
  default(object: T): T
  /** What a default cluster's admission plugins change at creation. Throws Forbidden. */
  admit?(object: T, context: StrategyContext): T
  /** Sets what the server decides at creation: first status, allocated addresses. Throws Invalid when a wish cannot be met. */
  prepareForCreate?(object: T, context: StrategyContext): T
  /** Restores what an update may not change, and takes addresses. Status is kept by the store when `hasStatus`. */
  prepareForUpdate?(object: T, before: T, context: StrategyContext): T
  /** Restores what an update of the status may not change. Spec and metadata are kept by the store already. */
  prepareForStatusUpdate?(object: T, before: T): T
  /** Gives back what the object holds and `kept`, the version that stays, does not. */
  released?(object: T, kept: T | undefined, context: StrategyContext): void
  /** Causes, each like `spec.replicas: Invalid value: -1: must be greater than or equal to 0`. Empty: valid. */
  validate?(object: T): readonly string[]
  validateUpdate?(object: T, before: T): readonly string[]
  validateStatusUpdate?(object: T, before: T): readonly string[]
  /** The version in which the server keeps the kind, where that is not the one it is sent in: `default` converts. */
  readonly storedAs?: string
  /** Whether status is a subresource: ignored on create and update, written by updateStatus alone. */
  readonly hasStatus: boolean
  /** Whether a status sent at creation is kept, as for nodes. */
  readonly statusOnCreate?: boolean
  /** Whether the server counts generations. */
  readonly hasGeneration: boolean
  /** Whether an update raises the generation. Without it: when anything but metadata and status changes. */
  raisesGeneration?(object: T, before: T): boolean
  /**
   * The grace period of a delete, in seconds, when the client asked for `asked`. A kind without this goes at once, or when its
   * finalizers are gone. Follows RESTGracefulDeleteStrategy.
   */
  graceSeconds?(object: T, asked: number | undefined): number
}

export interface StrategyContext {
  readonly random: RandomStream
  /** An object of the store, if it is there. */
  peek<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined
  list<T extends KubeObject>(kind: Kind<T>): readonly T[]
  /** Whether there is any object of the kind. */
  has(kind: Kind): boolean
  /** Writes a status as the API server itself. */
  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): T
  readonly clusterIPs: Allocator<string>
  readonly nodePorts: Allocator<number>
}

/** Hands out each value to one holder at a time. */
export interface Allocator<V> {
  /** A free value; undefined when none is left. */
  next(): V | undefined
  take(value: V): 'taken' | 'in use' | 'out of range'
  release(value: V): void
}

/** A kind's strategy as the store holds it. */
export const strategyFor = <T extends KubeObject>(kind: Kind<T>, strategy: Strategy<T>): [string, Strategy] => [
  kind.id,
  strategy as unknown as Strategy,
]
