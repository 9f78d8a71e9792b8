import type { Store } from '../apiserver/store.ts'
import { seconds, toRfc3339, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { isApiError } from './errors.ts'
import { Event, keyOf } from './kinds.ts'
import { type LagProfile, sample } from './lag.ts'
import type { KubeObject } from './objects.ts'

/** The process that records events, and where they go. */
export interface EventSource {
  readonly world: World
  readonly store: Store
  readonly profile: LagProfile
  readonly process: string
}

/** How long a repeat is counted into the Event before it. */
const AGGREGATE_WITHIN = seconds(600)

/**
 * Sends Events from a queue of its own and counts repeats into one object.
 * Follows k8s.io/client-go/tools/record/events_cache.go (the same event again raises `count`).
 */
export class EventQueue {
  private readonly shared: EventSource
  private readonly seen = new Map<string, { key: string; at: Us; count: number }>()
  private names = 0

  constructor(shared: EventSource) {
    this.shared = shared
  }

  push(about: KubeObject, level: 'Normal' | 'Warning', reason: string, message: string): void {
    const { world, store, process, profile } = this.shared
    const component = process.split('/')[0]!
    const { clock, journal } = world
    journal.append({
      type: 'event',
      by: process,
      level,
      reason,
      message,
      kind: about.kind,
      key: keyOf(about),
    })
    const identity = `${about.kind}/${about.metadata.uid}/${level}/${reason}/${message}`
    const now = toRfc3339(clock.now)
    const known = this.seen.get(identity)
    const random = world.random(`${process}/events/${this.names}`)
    const arrivesAt = clock.now + sample(profile.requestLatency.write, random)
    if (known && clock.now - known.at < AGGREGATE_WITHIN) {
      known.count++
      known.at = clock.now
      const patch = { count: known.count, lastTimestamp: now }
      clock.at(arrivesAt, () => ignoring('NotFound', () => store.patch(Event, known.key, patch, process)))
      return
    }
    const namespace = about.metadata.namespace ?? 'default'
    const name = `${about.metadata.name}.${(this.names++).toString(16).padStart(16, '0')}.${component}`
    this.seen.set(identity, { key: `${namespace}/${name}`, at: clock.now, count: 1 })
    const { kind, apiVersion, metadata } = about
    const { uid } = metadata
    clock.at(arrivesAt, () =>
      store.create(
        Event,
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name, namespace },
          involvedObject: { apiVersion, kind, uid, name: metadata.name, namespace: metadata.namespace },
          type: level,
          reason,
          message,
          count: 1,
          firstTimestamp: now,
          lastTimestamp: now,
          source: process.includes('/') ? { component, host: process.split('/')[1]! } : { component },
          reportingComponent: component,
        },
        process,
      ),
    )
  }
}

function ignoring(reason: 'NotFound', act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!isApiError(error, reason)) throw error
  }
}
