import { readScale, updateScale } from '../apiserver/scale.ts'
import type { Store } from '../apiserver/store.ts'
import type { StoreEvent, WatchOptions } from '../apiserver/watchers.ts'
import { type Effect, perform, type Task } from '../world/actor.ts'
import type { Clock } from '../world/clock.ts'
import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { askAgain } from './ask-again.ts'
import { Cache } from './cache.ts'
import { EventQueue } from './event-queue.ts'
import { type Kind, Pod } from './kinds.ts'
import type { DeleteOptions, EvictOptions, Handler, Index, Kube, ListFilter, PatchOptions } from './kube.ts'
import { type LagProfile, type Quantiles, sample, TokenBucket } from './lag.ts'
import type { Draft, KubeObject, Scale } from './objects.ts'

export interface StoreKubeOptions {
  world: World
  store: Store
  profile: LagProfile
  /** `kube-scheduler`, `kubelet/gpu-3`. */
  process: string
  /** Narrows what the process watches of a kind, by kind id: a kubelet watches the pods of its node alone. */
  fields?: Readonly<Record<string, NonNullable<WatchOptions['field']>>>
}

/** A process's view of the in-memory store: informers that lag, requests that take their time and wait for a token. */
export class StoreKube implements Kube {
  readonly process: string
  private readonly shared: Shared
  private readonly bucket: TokenBucket | undefined
  private readonly random: RandomStream
  private readonly events: EventQueue

  constructor(options: StoreKubeOptions | { shared: Shared; name: string }) {
    this.shared = 'shared' in options ? options.shared : new Shared(options)
    const { process, profile, store, world } = this.shared
    const client = 'name' in options ? options.name : ''
    this.process = process
    const limit = profile.clients[process.split('/')[0]!]
    this.bucket = limit && new TokenBucket(limit)
    this.random = world.random(`${process}/requests/${client}`)
    this.events = new EventQueue({ world, store, profile, process, client, bucket: this.bucket })
  }

  client(name: string): Kube {
    return new StoreKube({ shared: this.shared, name })
  }

  get<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined {
    return this.shared.cache(kind).get(key)
  }

  list<T extends KubeObject>(kind: Kind<T>, filter?: ListFilter): readonly T[] {
    return this.shared.cache(kind).list(filter)
  }

  indexed<T extends KubeObject>(index: Index<T>, value: string): readonly T[] {
    return this.shared.cache(index.kind).indexed(index, value)
  }

  watch<T extends KubeObject>(kind: Kind<T>, handler: Handler<T>): () => void {
    return this.shared.cache(kind).watch(handler)
  }

  *read<T extends KubeObject>(kind: Kind<T>, key: string): Task<T> {
    return yield* this.request('read', (store) => store.get(kind, key))
  }

  *create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>): Task<T> {
    return yield* this.request('write', (store, by) => store.create(kind, object, by))
  }

  *update<T extends KubeObject>(kind: Kind<T>, object: T): Task<T> {
    return yield* this.request('write', (store, by) => store.update(kind, object, by))
  }

  *updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Task<T> {
    return yield* this.request('write', (store, by) => store.updateStatus(kind, object, by))
  }

  *patch<T extends KubeObject>(kind: Kind<T>, key: string, patch: unknown, options?: PatchOptions): Task<T> {
    return yield* this.request('write', (store, by) => store.patch(kind, key, patch, by, options))
  }

  *delete<T extends KubeObject>(kind: Kind<T>, key: string, options?: DeleteOptions): Task<void> {
    yield* this.request('write', (store, by) => store.delete(kind, key, by, options))
  }

  *bind(podKey: string, uid: string, nodeName: string): Task<void> {
    yield* this.request('write', (store, by) => store.bind(Pod, podKey, uid, nodeName, by))
  }

  *evict(podKey: string, options: EvictOptions = {}): Task {
    yield* askAgain(() => this.request('write', (store, by) => store.evict(podKey, options, by)))
  }

  *readScale(kind: Kind, key: string): Task<Scale> {
    return yield* this.request('read', (store) => readScale(store, kind, key))
  }

  *updateScale(kind: Kind, scale: Scale): Task<Scale> {
    return yield* this.request('write', (store, by) => updateScale(store, kind, scale, by))
  }

  event(about: KubeObject, level: 'Normal' | 'Warning', reason: string, message: string): void {
    this.events.push(about, level, reason, message)
  }

  /** Waits for a token, then for half the latency; the server acts; the answer comes after the other half. */
  private *request<T>(sort: 'read' | 'write', act: (store: Store, by: string) => T): Task<T> {
    return yield* perform<T>(
      new Exchange(
        this.shared,
        { bucket: this.bucket, random: this.random, latency: this.shared.profile.requestLatency[sort] },
        act,
      ),
    )
  }
}

/** How a client sends. */
interface Sending {
  readonly bucket: TokenBucket | undefined
  readonly random: RandomStream
  readonly latency: Quantiles
}

/** One request and its answer. */
class Exchange<T> implements Effect<T> {
  private readonly shared: Shared
  private readonly sending: Sending
  private readonly act: (store: Store, by: string) => T
  private outcome: { value: T } | { error: unknown } | undefined
  private wanted = true

  constructor(shared: Shared, sending: Sending, act: (store: Store, by: string) => T) {
    this.shared = shared
    this.sending = sending
    this.act = act
  }

  start(clock: Clock, resume: (value: T) => void, fail: (error: unknown) => void): () => void {
    const { bucket, latency, random } = this.sending
    const sendAt = bucket?.take(clock.now) ?? clock.now
    const takes = sample(latency, random)
    const arriving = clock.at(sendAt + Math.round(takes / 2), () => {
      this.serve()
      clock.at(sendAt + takes, () => this.answer(resume, fail))
    })
    // a caller that gives up before the request is sent has sent nothing; after that only its answer is lost
    return () => {
      this.wanted = false
      if (clock.now < sendAt) arriving.cancel()
    }
  }

  private serve(): void {
    try {
      this.outcome = { value: this.act(this.shared.store, this.shared.process) }
    } catch (error) {
      this.outcome = { error }
    }
  }

  private answer(resume: (value: T) => void, fail: (error: unknown) => void): void {
    if (!this.wanted) return
    const outcome = this.outcome!
    if ('error' in outcome) fail(outcome.error)
    else resume(outcome.value)
  }
}

/** What the clients of one process share: its caches. */
class Shared {
  readonly world: World
  readonly store: Store
  readonly profile: LagProfile
  readonly process: string
  private readonly fields: NonNullable<StoreKubeOptions['fields']>
  private readonly caches = new Map<string, Cache>()

  constructor(options: StoreKubeOptions) {
    this.world = options.world
    this.store = options.store
    this.profile = options.profile
    this.process = options.process
    this.fields = options.fields ?? {}
  }

  /** The informer of a kind, started at its first use with what the server holds now. */
  cache<T extends KubeObject>(kind: Kind<T>): Cache<T> {
    const known = this.caches.get(kind.id)
    if (known) return known as unknown as Cache<T>
    const cache = new Cache<T>(kind)
    this.caches.set(kind.id, cache as unknown as Cache)
    const field = this.fields[kind.id]
    for (const object of this.store.list(kind)) if (!field || fieldMatches(object, field)) cache.set(object)
    const feed = new Feed<T>(this.world, this.profile.watchDelay, `${this.process}/watch/${kind.id}`, (event) => {
      if (event.verb === 'DELETED') cache.remove(event.object)
      else cache.set(event.object)
    })
    this.store.watch(kind, field ? { field } : {}, (event) => feed.push(event))
    return cache
  }
}

function fieldMatches(object: KubeObject, field: NonNullable<WatchOptions['field']>): boolean {
  if (field.path === 'metadata.name') return object.metadata.name === field.value
  return (object as KubeObject & { spec?: { nodeName?: string } }).spec?.nodeName === field.value
}

/** Delivered events whose places are kept, so that they are given up many at once. */
const FORGOTTEN_MAX = 1024

/** One watch stream: events arrive late but in order. */
class Feed<T extends KubeObject> {
  private readonly world: World
  private readonly delay: Quantiles
  private readonly random: RandomStream
  private readonly deliver: (event: StoreEvent<T>) => void
  private lastAt: Us = 0
  /** On their way, first to last. */
  private readonly underway: (StoreEvent<T> | undefined)[] = []
  private first = 0

  constructor(world: World, delay: Quantiles, stream: string, deliver: (event: StoreEvent<T>) => void) {
    this.world = world
    this.delay = delay
    this.random = world.random(stream)
    this.deliver = deliver
  }

  push(event: StoreEvent<T>): void {
    const { clock } = this.world
    this.lastAt = Math.max(this.lastAt, clock.now + sample(this.delay, this.random))
    this.underway.push(event)
    clock.at(this.lastAt, this.arrive)
  }

  private readonly arrive = (): void => {
    const event = this.underway[this.first]!
    this.underway[this.first++] = undefined
    if (this.first === this.underway.length || this.first === FORGOTTEN_MAX) {
      this.underway.splice(0, this.first)
      this.first = 0
    }
    this.deliver(event)
  }
}
