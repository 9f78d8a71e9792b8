import { perform, type Task } from '../../world/actor.ts'
import { type Kind, keyOf, Pod, splitKey } from '../kinds.ts'
import type { DeleteOptions, EvictOptions, Handler, Index, Kube, ListFilter, PatchOptions } from '../kube.ts'
import { TokenBucket } from '../lag.ts'
import type { Draft, KubeObject, Scale } from '../objects.ts'
import { cleaned } from './informer.ts'
import { collectionPath, objectPath } from './paths.ts'
import type { RemoteCluster } from './remote-cluster.ts'
import { RemoteEvents } from './remote-events.ts'
import type { RestRequest } from './rest.ts'
import { type Fields, View } from './view.ts'

export interface RemoteKubeOptions {
  readonly cluster: RemoteCluster
  /** `kube-scheduler`, `kubelet/gpu-3`. */
  readonly process: string
  readonly fields: Fields
  /** Called when the view has ended. */
  stopped(): void
}

/** A process's view of a real cluster: caches that its informers keep, requests over HTTP that wait for a token. */
export class RemoteKube implements Kube {
  readonly process: string
  private readonly shared: Shared
  private readonly bucket: TokenBucket | undefined

  constructor(options: RemoteKubeOptions | { shared: Shared }) {
    this.shared = 'shared' in options ? options.shared : shared(options)
    const { process, cluster } = this.shared
    this.process = process
    const limit = cluster.limits[process.split('/')[0]!]
    this.bucket = limit && new TokenBucket(limit)
  }

  client(_name: string): RemoteKube {
    return new RemoteKube({ shared: this.shared })
  }

  /** Starts the informers of these kinds and waits until all of them hold what the server had. */
  async sync(...kinds: readonly Kind[]): Promise<void> {
    for (const kind of kinds) this.shared.view.cache(kind)
    await this.shared.cluster.sync(...kinds)
  }

  /** Ends what the process and its other clients see: no handler is called any more, and caches stay as they are. */
  stop(): void {
    this.shared.view.stop()
    this.shared.stopped()
  }

  get<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined {
    return this.shared.view.cache(kind)?.get(key)
  }

  list<T extends KubeObject>(kind: Kind<T>, filter?: ListFilter): readonly T[] {
    return this.shared.view.cache(kind)?.list(filter) ?? []
  }

  indexed<T extends KubeObject>(index: Index<T>, value: string): readonly T[] {
    return this.shared.view.cache(index.kind)?.indexed(index, value) ?? []
  }

  watch<T extends KubeObject>(kind: Kind<T>, handler: Handler<T>): () => void {
    return this.shared.view.watch(kind, handler)
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
          this.shared.cluster.rest.send({ ...request, process: this.process }).then(
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
    const { clock } = this.shared.cluster.world
    const sendAt = this.bucket?.take(clock.now) ?? clock.now
    if (sendAt > clock.now)
      await new Promise<void>((resolve) => {
        clock.at(sendAt, resolve)
      })
    return this.shared.cluster.rest.send({ ...request, process: this.process })
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

/** What the clients of one process share. */
interface Shared {
  readonly cluster: RemoteCluster
  readonly process: string
  readonly view: View
  readonly events: RemoteEvents
  stopped(): void
}

const shared = ({ cluster, process, fields, stopped }: RemoteKubeOptions): Shared => ({
  cluster,
  process,
  view: new View(cluster, fields),
  events: new RemoteEvents(cluster.world, process),
  stopped,
})
