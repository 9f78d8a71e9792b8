import { deepFreeze } from '../../apiserver/freeze.ts'
import type { Clock } from '../../world/clock.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import type { Cache } from '../cache.ts'
import { ApiError, isApiError } from '../errors.ts'
import { EndpointSlice, type Kind, keyOf } from '../kinds.ts'
import type { KubeObject } from '../objects.ts'
import { collectionPath } from './paths.ts'
import { errorOf, type Rest } from './rest.ts'

export interface InformerOptions<T extends KubeObject> {
  readonly clock: Clock
  readonly rest: Rest
  readonly cache: Cache<T>
  readonly kind: Kind<T>
  /** Given the first list; the owner decides when it enters the cache. */
  onListed(fill: () => void): void
  /** The kind cannot be listed: the server does not know it, or does not allow it. It is tried again all the same. */
  onRefused(error: ApiError): void
}

// follows k8s.io/client-go/tools/cache/reflector.go: 800 ms doubling to 30 s
const BACKOFF_FIRST = ms(800)
const BACKOFF_MAX = seconds(30)
const WATCH_SECONDS = 420

/** Keeps a cache like the server: one list, then a watch from its version on, again and again. Lists anew when the version expired. */
export class Informer<T extends KubeObject> {
  private readonly options: InformerOptions<T>
  private readonly abort = new AbortController()
  private version = ''
  private filled = false
  private backoff: Us = BACKOFF_FIRST

  constructor(options: InformerOptions<T>) {
    this.options = options
    void this.run()
  }

  stop(): void {
    this.abort.abort()
  }

  private async run(): Promise<void> {
    // the first list may come from the server's cache; one after an expiry must not be older than what was seen
    let listFrom = '?resourceVersion=0'
    while (!this.abort.signal.aborted) {
      try {
        if (!this.version) {
          await this.list(listFrom)
          listFrom = ''
        }
        await this.watch()
        this.backoff = BACKOFF_FIRST
      } catch (error) {
        if (this.abort.signal.aborted) return
        if (isApiError(error, 'Expired')) this.version = ''
        else await this.wait(error)
      }
    }
  }

  private async list(query: string): Promise<void> {
    const { rest, kind } = this.options
    const path = collectionPath(kind) + query
    const answer = (await rest.send({ method: 'GET', path, process: 'informers' })) as {
      metadata: { resourceVersion: string }
      items: T[]
    }
    const objects = answer.items.map((item) => cleaned(kind, item))
    this.version = answer.metadata.resourceVersion
    if (this.abort.signal.aborted) return
    if (this.filled) this.deliver(() => this.replace(objects))
    else
      await new Promise<void>((resolve) => {
        this.options.onListed(() => {
          this.filled = true
          this.deliver(() => this.replace(objects))
          resolve()
        })
      })
  }

  private async watch(): Promise<void> {
    const { rest, kind } = this.options
    const query = `?watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${this.version}`
    await rest.watch(collectionPath(kind) + query, this.abort.signal, ({ type, object }) => {
      if (this.abort.signal.aborted) return
      if (type === 'ERROR') throw errorOf(500, object as object)
      this.backoff = BACKOFF_FIRST
      const changed = object as T
      this.version = changed.metadata.resourceVersion
      if (type === 'BOOKMARK') return
      const clean = cleaned(kind, changed)
      this.deliver(() => {
        if (type === 'DELETED') this.options.cache.remove(clean)
        else this.options.cache.set(clean)
      })
    })
  }

  private replace(objects: readonly T[]): void {
    const { cache } = this.options
    const present = new Set(objects.map(keyOf))
    for (const known of cache.list()) if (!present.has(keyOf(known))) cache.remove(known)
    for (const object of objects) {
      const known = cache.get(keyOf(object))
      if (known?.metadata.resourceVersion !== object.metadata.resourceVersion) cache.set(object)
    }
  }

  /** What an index throws is the actors' fault, and no reason to watch anew. */
  private deliver(change: () => void): void {
    try {
      change()
    } catch (error) {
      this.options.clock.after(0, () => {
        throw error
      })
    }
  }

  private wait(error: unknown): Promise<void> {
    if (error instanceof ApiError && (error.reason === 'NotFound' || error.reason === 'Forbidden'))
      this.options.onRefused(error)
    const delay = this.backoff
    this.backoff = Math.min(2 * delay, BACKOFF_MAX)
    return new Promise((resolve) => {
      this.options.clock.after(delay, resolve)
    })
  }
}

/** As the cache holds it: with its kind, which lists leave out, without managedFields, which no actor reads, and frozen. */
export function cleaned<T extends KubeObject>(kind: Kind<T>, object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown }
  const lists = kind.id === EndpointSlice.id ? listsOf(object as unknown as EndpointLists) : {}
  return deepFreeze({ ...object, ...lists, apiVersion: kind.apiVersion, kind: kind.kind, metadata })
}

interface EndpointLists {
  readonly endpoints: readonly unknown[] | null
  readonly ports: readonly unknown[] | null
}

/** Empty lists of a slice are sent as null: `omitempty` is missing in k8s.io/api/discovery/v1/types.go. */
const listsOf = ({ endpoints, ports }: EndpointLists) => ({ endpoints: endpoints ?? [], ports: ports ?? [] })
