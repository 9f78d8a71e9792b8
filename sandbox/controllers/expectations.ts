import type { Clock } from '../world/clock.ts'
import { minutes, type Us } from '../world/time.ts'

interface Expected {
  creations: number
  deletions: Set<string>
  at: Us
}

/** After this an expectation nobody fulfilled is given up. */
const TTL = minutes(5)

/**
 * What a controller has asked for and not yet seen in its cache. Until it is seen, acting on the cache would ask again.
 * Follows pkg/controller/controller_utils.go (UIDTrackingControllerExpectations).
 */
export class Expectations {
  private readonly clock: Clock
  private readonly byKey = new Map<string, Expected>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  expectCreations(key: string, count: number): void {
    this.byKey.set(key, { creations: count, deletions: new Set(), at: this.clock.now })
  }

  expectDeletions(key: string, objectKeys: readonly string[]): void {
    this.byKey.set(key, { creations: 0, deletions: new Set(objectKeys), at: this.clock.now })
  }

  expect(key: string, expected: { readonly creations: number; readonly deletions: readonly string[] }): void {
    const { creations, deletions } = expected
    this.byKey.set(key, { creations, deletions: new Set(deletions), at: this.clock.now })
  }

  /** A creation was seen, or will never be because its request failed. */
  creationObserved(key: string): void {
    const expected = this.byKey.get(key)
    if (expected) expected.creations--
  }

  deletionObserved(key: string, objectKey: string): void {
    this.byKey.get(key)?.deletions.delete(objectKey)
  }

  /** Whether the controller may act: all was seen, or too long ago, or nothing was expected. */
  satisfied(key: string): boolean {
    const expected = this.byKey.get(key)
    if (!expected) return true
    return (expected.creations <= 0 && expected.deletions.size === 0) || this.clock.now - expected.at > TTL
  }

  forget(key: string): void {
    this.byKey.delete(key)
  }
}
