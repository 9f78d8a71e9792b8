import type { FieldPath } from '../../apiserver/watchers.ts'
import { perform, type Task } from '../../world/actor.ts'
import type { World } from '../../world/world.ts'
import { Cache } from '../cache.ts'
import { type Kind, keyOf, Pod, splitKey } from '../kinds.ts'
import type { DeleteOptions, EvictOptions, Handler, Index, Kube, ListFilter, PatchOptions } from '../kube.ts'
import { type LagProfile, TokenBucket } from '../lag.ts'
import type { Draft, KubeObject, Scale } from '../objects.ts'
import { cleaned, Informer } from './informer.ts'
import { collectionPath, objectPath } from './paths.ts'
import { RemoteEvents } from './remote-events.ts'
import type { Rest, RestRequest } from './rest.ts'

export interface RemoteKubeOptions {
  /** On a `WallClock`. */
  world: World
  rest: Rest
  /** `kube-scheduler`, `kubelet/gpu-3`. */
  process: string
  /** Rate limits by process, as in a lag profile. A process that is not in it is not limited. */
  limits?: LagProfile['clients']
  /** Narrows what the process watches of a kind, by kind id. */
  fields?: Readonly<Record<string, { path: FieldPath; value: string }>>
}

/**
 * A process's view of a real cluster: informers that follow it, requests over HTTP that wait for a token. Get the `rest` by `openRest`.
 * The first lists of all kinds asked for together enter the caches together, so that no handler sees one kind without the other.
 */
export class RemoteKube implements Kube {
  readonly process: string
  private readonly shared: Shared
  private readonly bucket: TokenBucket | undefined

  constructor(options: RemoteKubeOptions | { shared: Shared }) {
    this.shared = 'shared' in options ? options.shared : new Shared(options)
    this.process = this.shared.process
    const limit = this.shared.limits[this.process.split('/')[0]!]
    this.bucket = limit && new TokenBucket(limit)
  }

  client(_name: string): RemoteKube {
    return new RemoteKube({ shared: this.shared })
  }

  /** Starts the informers of these kinds and waits until all of them hold what the server had. */
  async sync(...kinds: readonly Kind[]): Promise<void> {
    for (const kind of kinds) this.shared.cache(kind)
    await this.shared.filled()
  }

  /** Ends every watch of the process. */
  stop(): void {
    this.shared.stop()
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
    return yield* this.object(kind, { method: 'GET', path: objectPath(kind, key) })
  }

  *create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>): Task<T> {
    const namespace = (object.metadata as { namespace?: string }).namespace ?? 'default'
    const body = { ...object, apiVersion: kind.apiVersion, kind: kind.kind }
    return yield* this.object(kind, { method: 'POST', path: collectionPath(kind, namespace), body })
  }

  *update<T extends KubeObject>(kind: Kind<T>, object: T): Task<T> {
    return yield* this.object(kind, { method: 'PUT', path: objectPath(kind, keyOf(object)), body: object })
  }

  *updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Task<T> {
    return yield* this.object(kind, { method: 'PUT', path: objectPath(kind, keyOf(object), 'status'), body: object })
  }

  *patch<T extends KubeObject>(kind: Kind<T>, key: string, patch: unknown, options?: PatchOptions): Task<T> {
    const path = objectPath(kind, key, options?.subresource)
    return yield* this.object(kind, { method: 'PATCH', path, body: patch })
  }

  *delete<T extends KubeObject>(kind: Kind<T>, key: string, options: DeleteOptions = {}): Task<void> {
    const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = options
    const preconditions = uid || resourceVersion ? { uid, resourceVersion } : undefined
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, gracePeriodSeconds, propagationPolicy }
    yield* this.request({ method: 'DELETE', path: objectPath(kind, key), body })
  }

  *bind(podKey: string, uid: string, nodeName: string): Task<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { ...splitKey(podKey), uid },
      target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
    }
    yield* this.request({ method: 'POST', path: objectPath(Pod, podKey, 'binding'), body })
  }

  *evict(podKey: string, options: EvictOptions = {}): Task {
    const { uid, resourceVersion, gracePeriodSeconds, dryRun } = options
    const preconditions = uid || resourceVersion ? { uid, resourceVersion } : undefined
    const body = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: splitKey(podKey),
      deleteOptions: { preconditions, gracePeriodSeconds, ...(dryRun ? { dryRun: ['All'] } : {}) },
    }
    yield* this.request({ method: 'POST', path: objectPath(Pod, podKey, 'eviction'), body })
  }

  *readScale(kind: Kind, key: string): Task<Scale> {
    return yield* this.object(ScaleKind, { method: 'GET', path: objectPath(kind, key, 'scale') })
  }

  *updateScale(kind: Kind, scale: Scale): Task<Scale> {
    const path = objectPath(kind, keyOf(scale), 'scale')
    return yield* this.object(ScaleKind, { method: 'PUT', path, body: scale })
  }

  event(about: KubeObject, level: 'Normal' | 'Warning', reason: string, message: string): void {
    // events take tokens of the client that records them (they share its rate limiter upstream)
    this.shared.events.push(about, level, reason, message, (request) => this.afterToken(request))
  }

  private *object<T extends KubeObject>(kind: Kind<T>, request: Omit<RestRequest, 'process'>): Task<T> {
    return cleaned(kind, (yield* this.request(request)) as T)
  }

  private *request(request: Omit<RestRequest, 'process'>): Task<unknown> {
    return yield* perform<unknown>({
      start: (clock, resume, fail) => {
        let wanted = true
        // by way of the clock: what the actor throws next is the clock's to report
        const answer = (give: () => void) => {
          clock.after(0, () => {
            if (wanted) give()
          })
        }
        const send = () => {
          sent = true
          this.shared.rest.send({ ...request, process: this.process }).then(
            (value) => answer(() => resume(value)),
            (error) => answer(() => fail(error)),
          )
        }
        let sent = false
        const sendAt = this.bucket?.take(clock.now)
        const timer = sendAt === undefined || sendAt <= clock.now ? send() : clock.at(sendAt, send)
        return () => {
          wanted = false
          if (!sent) timer?.cancel()
        }
      },
    })
  }

  private async afterToken(request: Omit<RestRequest, 'process'>): Promise<unknown> {
    const { clock } = this.shared.world
    const sendAt = this.bucket?.take(clock.now) ?? clock.now
    if (sendAt > clock.now)
      await new Promise<void>((resolve) => {
        clock.at(sendAt, resolve)
      })
    return this.shared.rest.send({ ...request, process: this.process })
  }
}

/** A subresource: nothing is stored under this name. */
const ScaleKind: Kind<Scale> = {
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  plural: 'scales',
  namespaced: true,
  id: 'scales.autoscaling',
}

/** What the clients of one process share: informers and the event queue. */
class Shared {
  readonly world: World
  readonly rest: Rest
  readonly process: string
  readonly limits: LagProfile['clients']
  readonly events: RemoteEvents
  private readonly fields: NonNullable<RemoteKubeOptions['fields']>
  private readonly caches = new Map<string, Cache>()
  private readonly informers: Informer<KubeObject>[] = []
  private readonly listing = new Set<string>()
  private fills: (() => void)[] = []
  private waiters: (() => void)[] = []

  constructor(options: RemoteKubeOptions) {
    this.world = options.world
    this.rest = options.rest
    this.process = options.process
    this.limits = options.limits ?? {}
    this.fields = options.fields ?? {}
    this.events = new RemoteEvents(options.world, options.process)
  }

  /** The informer of a kind, started at its first use; it is empty until its list has come. */
  cache<T extends KubeObject>(kind: Kind<T>): Cache<T> {
    const known = this.caches.get(kind.id)
    if (known) return known as unknown as Cache<T>
    const cache = new Cache<T>(kind)
    this.caches.set(kind.id, cache as unknown as Cache)
    this.listing.add(kind.id)
    const field = this.fields[kind.id]
    const informer = new Informer<T>({
      clock: this.world.clock,
      rest: this.rest,
      cache,
      kind,
      process: this.process,
      fieldSelector: field && `${field.path}=${field.value}`,
      onListed: (fill) => {
        this.fills.push(fill)
        this.doneListing(kind)
      },
      onRefused: (error) => {
        this.world.journal.append({
          type: 'note',
          by: this.process,
          about: kind.id,
          text: `not watched: ${error.message}`,
        })
        this.doneListing(kind)
      },
    })
    this.informers.push(informer as unknown as Informer<KubeObject>)
    return cache
  }

  /** When no kind is being listed for the first time. */
  filled(): Promise<void> {
    if (this.listing.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.waiters.push(resolve)
    })
  }

  stop(): void {
    for (const informer of this.informers) informer.stop()
  }

  private doneListing(kind: Kind): void {
    this.listing.delete(kind.id)
    if (this.listing.size > 0) return
    const { fills, waiters } = this
    this.fills = []
    this.waiters = []
    for (const fill of fills) fill()
    for (const resume of waiters) resume()
  }
}
