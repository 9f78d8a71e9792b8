import type { Pod } from '../../kube/objects.ts'
import { type ClusterEvent, type EventHint, hears } from '../framework/events.ts'
import type { SeenEvent } from './in-flight.ts'
import type { QueuedPod } from './queued-pod.ts'

/** A plugin, as far as the queue needs to know it. */
export interface Listener {
  readonly name: string
  readonly events?: readonly EventHint[]
}

/** Which plugins care about which changes. Follows pkg/scheduler/backend/queue/scheduling_queue.go isPodWorthRequeuing. */
export class HintMap {
  private readonly hints: readonly { readonly plugin: string; readonly hint: EventHint }[]

  constructor(listeners: readonly Listener[]) {
    this.hints = listeners.flatMap(({ name, events = [] }) => events.map((hint) => ({ plugin: name, hint })))
  }

  isOfInterest(event: ClusterEvent): boolean {
    return event.resource === '*' || this.hints.some(({ hint }) => hears(hint, event))
  }

  gateHears(gate: string, event: ClusterEvent): boolean {
    return this.hints.some(({ plugin, hint }) => plugin === gate && hears(hint, event))
  }

  /** Whether a plugin that rejected the pod thinks that it may fit after this change. */
  isWorthIt(pod: QueuedPod, { event, before, after }: SeenEvent): boolean {
    if (pod.rejectors.size === 0) return true
    if (event.resource === '*') return !after || (after as Pod).metadata.uid === pod.info.uid
    return this.hints.some(
      ({ plugin, hint }) =>
        pod.rejectors.has(plugin) && hears(hint, event) && (!hint.hint || hint.hint(pod.info.pod, before, after)),
    )
  }
}
