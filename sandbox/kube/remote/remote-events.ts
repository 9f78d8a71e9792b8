import { EPOCH_MS, toRfc3339 } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { isApiError } from '../errors.ts'
import { EventCorrelator } from '../event-correlator.ts'
import { Event, keyOf } from '../kinds.ts'
import type { KubeObject } from '../objects.ts'
import { collectionPath, objectPath } from './paths.ts'
import type { RestRequest } from './rest.ts'

/** Events waiting to be sent; more are dropped, as upstream's broadcaster drops them. */
const QUEUE = 1000

/** Sends a process's Events, one after the other. Follows k8s.io/client-go/tools/record/event.go. */
export class RemoteEvents {
  private readonly world: World
  private readonly process: string
  private readonly correlator = new EventCorrelator()
  private sequence = 0
  private waiting = 0
  private last: Promise<unknown> = Promise.resolve()

  constructor(world: World, process: string) {
    this.world = world
    this.process = process
  }

  /** `send` waits for the client's token and gives the server's answer. */
  push(
    about: KubeObject,
    level: 'Normal' | 'Warning',
    reason: string,
    message: string,
    send: (request: Omit<RestRequest, 'process'>) => Promise<unknown>,
  ): void {
    const { clock, journal } = this.world
    journal.append({ type: 'event', by: this.process, level, reason, message, kind: about.kind, key: keyOf(about) })
    const said = { about: `${about.kind}/${about.metadata.uid}`, level, reason, message }
    const next = this.correlator.correlate(said, clock.now)
    if (next.action === 'drop' || this.waiting >= QUEUE) return
    const now = toRfc3339(clock.now)
    const body = this.eventFor(about, level, reason, next.message, now)
    const { told } = next
    const known = told.event && keyOf(told.event)
    told.event ??= body
    this.waiting++
    this.last = this.last
      .then(async () => {
        if (next.action === 'count' && known !== undefined) {
          const patch = { count: next.count, lastTimestamp: now, message: next.message }
          try {
            await send({ method: 'PATCH', path: objectPath(Event, known), body: patch })
            return
          } catch (error) {
            if (!isApiError(error, 'NotFound')) throw error
            told.event = body
          }
        }
        await send({ method: 'POST', path: collectionPath(Event, body.metadata.namespace), body })
      })
      // an Event that cannot be written is lost; the journal has it
      .catch(() => {})
      .finally(() => this.waiting--)
  }

  private eventFor(about: KubeObject, level: string, reason: string, message: string, now: string) {
    const { kind, apiVersion, metadata } = about
    const component = this.process.split('/')[0]!
    const host = this.process.includes('/') ? { host: this.process.split('/')[1] } : {}
    // upstream's names end in nanoseconds; a counter keeps two of one microsecond apart
    const nanoseconds =
      BigInt(EPOCH_MS) * 1_000_000n + BigInt(this.world.clock.now) * 1000n + BigInt(this.sequence++ % 1000)
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${metadata.name}.${nanoseconds.toString(16)}`, namespace: metadata.namespace ?? 'default' },
      involvedObject: {
        ...{ apiVersion, kind, name: metadata.name, namespace: metadata.namespace },
        ...{ uid: metadata.uid, resourceVersion: metadata.resourceVersion },
      },
      ...{ type: level, reason, message, count: 1, firstTimestamp: now, lastTimestamp: now },
      source: { component, ...host },
      reportingComponent: component,
      reportingInstance: host.host ?? '',
    }
  }
}
