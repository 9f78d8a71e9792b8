import type { KubeObject } from '../kube/objects.ts'
import type { RandomStream } from '../world/random.ts'

/**
 * What the API server does for one kind before it stores an object: defaulting, cleaning and validation.
 * Follows the strategies of pkg/registry. Functions return new objects and never change what they are given.
 */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** Fills in what the client left out. Follows pkg/apis/<group>/<version>/defaults.go. */
  default(object: T): T
  /** Sets what the server decides at creation: first status, allocated addresses. */
  prepareForCreate?(object: T, context: StrategyContext): T
  /** Restores what an update may not change. Status is kept by the store already when `hasStatus`. */
  prepareForUpdate?(object: T, before: T): T
  /** Causes, each like `spec.replicas: Invalid value: -1: must be greater than or equal to 0`. Empty: valid. */
  validate?(object: T): readonly string[]
  validateUpdate?(object: T, before: T): readonly string[]
  /** Whether status is a subresource: ignored on create and update, written by updateStatus alone. */
  readonly hasStatus: boolean
  /** Whether the server counts generations: the count goes up when anything but metadata and status changes. */
  readonly hasGeneration: boolean
  /** Seconds a delete without a grace period of its own waits for someone to finish; undefined: the kind goes at once. */
  gracePeriodSeconds?(object: T): number | undefined
}

export interface StrategyContext {
  readonly random: RandomStream
  /** An address of the Service range nobody has. */
  allocateClusterIP(): string
}

/** For kinds without rules of their own: stored as they are. Custom resources commonly have a status subresource. */
export const plainStrategy: Strategy = {
  default: (object) => object,
  hasStatus: false,
  hasGeneration: false,
}
