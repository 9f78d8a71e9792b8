import { readScale, updateScale } from '../apiserver/scale.ts'
import type { Store } from '../apiserver/store.ts'
import type { StoreEvent, WatchOptions } from '../apiserver/watchers.ts'
import type { Effect, Task } from '../world/actor.ts'
import type { Clock, Timer } from '../world/clock.ts'
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
  /** Of the client; '' for the process's first. */
  private readonly name: string
  private events: EventQueue | undefined

  constructor(options: StoreKubeOptions | { shared: Shared; name: string }) {
    this.shared = 'shared' in options ? options.shared : new Shared(options)
    const { process, profile, world } = this.shared
    const client = 'name' in options ? options.name : ''
    this.process = process
    const limit = profile.clients[process.split('/')[0]!]
    this.bucket = limit && new TokenBucket(limit)
    this.random = world.random(`${process}/requests/${client}`)
    this.name = client
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

  read<T extends KubeObject>(kind: Kind<T>, key: string): Task<T> {
    return this.request('read', (store) => store.get(kind, key))
  }

  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>): Task<T> {
    return this.request('write', (store, by) => store.create(kind, object, by))
  }

  update<T extends KubeObject>(kind: Kind<T>, object: T): Task<T> {
    return this.request('write', (store, by) => store.update(kind, object, by))
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Task<T> {
    return this.request('write', (store, by) => store.updateStatus(kind, object, by))
  }

  patch<T extends KubeObject>(kind: Kind<T>, key: string, patch: unknown, options?: PatchOptions): Task<T> {
    return this.request('write', (store, by) => store.patch(kind, key, patch, by, options))
  }

  delete<T extends KubeObject>(kind: Kind<T>, key: string, options?: DeleteOptions): Task<void> {
    return this.request('write', (store, by) => store.delete(kind, key, by, options))
  }

  bind(podKey: string, uid: string, nodeName: string): Task<void> {
    return this.request('write', (store, by) => store.bind(Pod, podKey, uid, nodeName, by))
  }

  *evict(podKey: string, options: EvictOptions = {}): Task {
    yield* askAgain(() => this.request('write', (store, by) => store.evict(podKey, options, by)))
  }

  readScale(kind: Kind, key: string): Task<Scale> {
    return this.request('read', (store) => readScale(store, kind, key))
  }

  updateScale(kind: Kind, scale: Scale): Task<Scale> {
    return this.request('write', (store, by) => updateScale(store, kind, scale, by))
  }

  event(about: KubeObject, level: 'Normal' | 'Warning', reason: string, message: string): void {
    this.events ??= this.eventQueue()
    this.events.push(about, level, reason, message)
  }

  private eventQueue(): EventQueue {
    const { world, store, profile, process } = this.shared
    return new EventQueue({ world, store, profile, process, client: this.name, bucket: this.bucket })
  }

  /** Waits for a token, then for half the latency; the server acts; the answer comes after the other half. */
  private *request<T>(sort: 'read' | 'write', act: (store: Store, by: string) => T): Task<T> {
    const { shared, bucket, random } = this
    return (yield new Exchange(act, { shared, bucket, random, latency: shared.profile.requestLatency[sort] })) as T
  }
}

/** How a client sends, and where to. */
interface Sending {
  readonly shared: Shared
  readonly bucket: TokenBucket | undefined
  readonly random: RandomStream
  readonly latency: Quantiles
}

/** One request and its answer. */
class Exchange<T> implements Effect<T>, Timer {
  private readonly act: (store: Store, by: string) => T
  private readonly sending: Sending
  private clock: Clock | undefined
  private resume: ((value: T) => void) | undefined
  private fail: ((error: unknown) => void) | undefined
  private sendAt: Us = 0
  private takes: Us = 0
  private underway: Timer | undefined
  private acted = false
  private failed = false
  private outcome: unknown

  constructor(act: (store: Store, by: string) => T, sending: Sending) {
    this.act = act
    this.sending = sending
  }

  start(clock: Clock, resume: (value: T) => void, fail: (error: unknown) => void): Timer {
    const { bucket, latency, random } = this.sending
    this.clock = clock
    this.resume = resume
    this.fail = fail
    this.sendAt = bucket?.take(clock.now) ?? clock.now
    this.takes = sample(latency, random)
    this.underway = clock.at(this.sendAt + Math.round(this.takes / 2), this.arrive)
    return this
  }

  /** A caller that gives up before the request is sent has sent nothing; after that only its answer is lost. */
  cancel(): void {
    this.resume = undefined
    this.fail = undefined
    if (this.clock!.now < this.sendAt) this.underway!.cancel()
  }

  /** The request is at the server, and later its answer at the client. */
  private readonly arrive = (): void => {
    if (!this.acted) {
      this.serve()
      this.clock!.at(this.sendAt + this.takes, this.arrive)
    } else if (this.failed) this.fail?.(this.outcome)
    else this.resume?.(this.outcome as T)
  }

  private serve(): void {
    const { store, process } = this.sending.shared
    this.acted = true
    try {
      this.outcome = this.act(store, process)
    } catch (error) {
      this.failed = true
      this.outcome = error
    }
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
    for (const object of field ? this.store.listBy(kind, field) : this.store.list(kind)) cache.set(object)
    const feed = new Feed<T>(this.world, this.profile.watchDelay, `${this.process}/watch/${kind.id}`, cache)
    this.store.watch(kind, field ? { field } : {}, feed.push)
    return cache
  }
}

/** Delivered events whose places are kept, so that they are given up many at once. */
const FORGOTTEN_MAX = 1024

/** One watch stream: events arrive late but in order. */
class Feed<T extends KubeObject> {
  private readonly clock: Clock
  private readonly delay: Quantiles
  private readonly random: RandomStream
  private readonly cache: Cache<T>
  private lastAt: Us = 0
  /** On their way, first to last. */
  private readonly underway: (StoreEvent<T> | undefined)[] = []
  private first = 0

  constructor(world: World, delay: Quantiles, stream: string, cache: Cache<T>) {
    this.clock = world.clock
    this.delay = delay
    this.random = world.random(stream)
    this.cache = cache
  }

  readonly push = (event: StoreEvent<T>): void => {
    const at = this.clock.now + sample(this.delay, this.random)
    if (at > this.lastAt) this.lastAt = at
    this.underway.push(event)
    this.clock.at(this.lastAt, this.arrive)
  }

  private readonly arrive = (): void => {
    const { verb, key, object } = this.underway[this.first]!
    this.underway[this.first++] = undefined
    if (this.first === this.underway.length) {
      this.underway.length = 0
      this.first = 0
    } else if (this.first === FORGOTTEN_MAX) {
      this.underway.splice(0, this.first)
      this.first = 0
    }
    if (verb === 'DELETED') this.cache.remove(object, key)
    else this.cache.set(object, key)
  }
}
