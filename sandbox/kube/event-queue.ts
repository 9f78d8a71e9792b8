import { deepFreeze } from '../apiserver/freeze.ts'
import type { Store } from '../apiserver/store.ts'
import type { RandomStream } from '../world/random.ts'
import { EPOCH_MS, toRfc3339, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { ApiError } from './errors.ts'
import { EventCorrelator } from './event-correlator.ts'
import { Event, keyOf } from './kinds.ts'
import { type LagProfile, sample, TokenBucket } from './lag.ts'
import type { KubeEvent, KubeObject } from './objects.ts'

/** The client that records events, and where they go. */
export interface EventSource {
  readonly world: World
  readonly store: Store
  readonly profile: LagProfile
  readonly process: string
  readonly client: string
  /** The client's own token bucket. */
  readonly bucket: TokenBucket | undefined
}

/** Events waiting to be sent; more are dropped. */
const QUEUE = 1000

/**
 * Sends a client's Events one after the other from a queue of its own.
 * Follows k8s.io/client-go/tools/record/event.go; which client's tokens they take is said at `bucketFor`.
 */
export class EventQueue {
  private readonly source: EventSource
  private readonly correlator: EventCorrelator
  private readonly bucket: TokenBucket | undefined
  private readonly random: RandomStream
  private readonly waiting: Waiting[] = []
  private sending: Sending | undefined
  private sequence: number
  /** The `source` of all its Events. */
  private readonly of: KubeEvent['source']

  constructor(source: EventSource) {
    this.source = source
    const component = componentOf(source.process)
    this.correlator = new EventCorrelator({ limits: component !== 'kube-scheduler' })
    this.bucket = bucketFor(component, source)
    this.random = source.world.random(`${source.process}/events/${source.client}`)
    const host = source.process.includes('/') ? source.process.split('/')[1] : undefined
    this.of = deepFreeze(host === undefined ? { component } : { component, host })
    // two clients that tell of one object in one microsecond must not choose one name
    this.sequence = this.random.int(1000)
  }

  push(about: KubeObject, level: 'Normal' | 'Warning', reason: string, message: string): void {
    const { world, process } = this.source
    const { clock, journal } = world
    journal.append({ type: 'event', by: process, level, reason, message, kind: about.kind, key: keyOf(about) })
    const said = { about: about.metadata.uid ?? about.kind, level, reason, message }
    const next = this.correlator.correlate(said, clock.now)
    if (next.action === 'drop' || this.waiting.length >= QUEUE) return
    const { told, message: text, count } = next
    const event = this.eventFor(about, level, reason, text)
    this.waiting.push({ event, known: next.action === 'count' ? told.event && keyOf(told.event) : undefined, count })
    told.event ??= event
    if (!this.sending) this.sendNext()
  }

  private sendNext(): void {
    const next = this.waiting.shift()
    this.sending = undefined
    if (!next) return
    const { clock } = this.source.world
    const sendAt = this.bucket?.take(clock.now) ?? clock.now
    const takes = sample(this.source.profile.requestLatency.write, this.random)
    this.sending = { next, answerAt: sendAt + takes, sent: false }
    clock.at(sendAt + Math.round(takes / 2), this.arrive)
  }

  /** The request is at the server, and later its answer here. */
  private readonly arrive = (): void => {
    const sending = this.sending!
    if (sending.sent) {
      this.sendNext()
      return
    }
    sending.sent = true
    try {
      this.write(sending.next)
    } catch (error) {
      // an Event the server refuses is lost; the journal has it
      if (!(error instanceof ApiError)) throw error
    }
    this.source.world.clock.at(sending.answerAt, this.arrive)
  }

  private write({ event, known, count }: Waiting): void {
    const { store, process } = this.source
    if (known !== undefined && store.peek(Event, known)) {
      const { lastTimestamp, message } = event
      store.patch(Event, known, { count, lastTimestamp, message }, process)
    } else store.create(Event, event, process)
  }

  private eventFor(about: KubeObject, level: 'Normal' | 'Warning', reason: string, message: string): NewEvent {
    const { process, world } = this.source
    const { kind, apiVersion, metadata } = about
    const component = componentOf(process)
    const now = toRfc3339(world.clock.now)
    const { uid, name, namespace } = metadata
    const at = unixNanosecondsHex(world.clock.now * 1000 + (this.sequence++ % 1000))
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${at}`, namespace: namespace ?? 'default' },
      involvedObject: { apiVersion, kind, uid, name, namespace },
      type: level,
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: this.of,
      reportingComponent: component,
    }
  }
}

type NewEvent = Omit<KubeEvent, 'metadata'> & { metadata: { name: string; namespace: string } }

/** An Event to be written: counted on a known one where that is still there. */
interface Waiting {
  readonly event: NewEvent
  readonly known: string | undefined
  readonly count: number
}

/** The one on its way. */
interface Sending {
  readonly next: Waiting
  readonly answerAt: Us
  sent: boolean
}

const WORD = 2 ** 32
const EPOCH_HIGH = Number((BigInt(EPOCH_MS) * 1_000_000n) >> 32n)
const EPOCH_LOW = Number((BigInt(EPOCH_MS) * 1_000_000n) & 0xffff_ffffn)

/** The Unix time in nanoseconds, in hex, of so many nanoseconds of trial time: more than a double holds exactly. */
function unixNanosecondsHex(nanoseconds: number): string {
  const low = EPOCH_LOW + (nanoseconds % WORD)
  const high = EPOCH_HIGH + Math.floor(nanoseconds / WORD) + (low >= WORD ? 1 : 0)
  return high.toString(16) + (low >= WORD ? low - WORD : low).toString(16).padStart(8, '0')
}

const componentOf = (process: string): string => process.split('/')[0]!

/**
 * A controller's events take tokens of its own client. The scheduler has a second client for them
 * (cmd/kube-scheduler/app/options/options.go), and the kubelet (cmd/kubelet/app/server.go), with limits alike.
 */
function bucketFor(component: string, { profile, bucket }: EventSource): TokenBucket | undefined {
  if (component === 'kube-controller-manager') return bucket
  const limit = profile.clients[component]
  return limit && new TokenBucket(limit)
}
