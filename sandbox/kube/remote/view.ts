import type { FieldPath } from '../../apiserver/watchers.ts'
import type { Cache } from '../cache.ts'
import type { Kind } from '../kinds.ts'
import type { Handler } from '../kube.ts'
import type { KubeObject } from '../objects.ts'
import { partsOf } from './parts.ts'
import type { RemoteCluster } from './remote-cluster.ts'

/** Narrows what a process sees of a kind, by kind id. */
export type Fields = Readonly<Record<string, { readonly path: FieldPath; readonly value: string }>>

/** Handlers that wait for a kind to be listed; each gives how to stop it. */
type Pending = Map<Handler<KubeObject>, { stop?: () => void }>

/**
 * What one process sees of a shared cluster: whole caches, or parts of them where a field narrows a kind. A kind that is being listed
 * for the first time is empty until then, and so are kinds asked for meanwhile: no handler sees one without the other.
 */
export class View {
  private readonly cluster: RemoteCluster
  private readonly fields: Fields
  private readonly open = new Map<string, Cache>()
  private readonly pending = new Map<string, { kind: Kind; handlers: Pending }>()
  private readonly stops = new Set<() => void>()
  private stopped = false

  constructor(cluster: RemoteCluster, fields: Fields) {
    this.cluster = cluster
    this.fields = fields
  }

  /** Undefined while the kind is not listed. */
  cache<T extends KubeObject>(kind: Kind<T>): Cache<T> | undefined {
    const known = this.open.get(kind.id)
    if (known) return known as unknown as Cache<T>
    if (this.pending.has(kind.id) || this.stopped) return undefined
    this.cluster.inform(kind)
    const waits = this.pending.size > 0
    if (!waits && this.cluster.ready(this.openAll)) return this.openOne(kind)
    this.pending.set(kind.id, { kind: kind as unknown as Kind, handlers: new Map() })
    return undefined
  }

  /** What a handler throws goes out of the clock, as in the simulator: it is no concern of the others'. */
  watch<T extends KubeObject>(kind: Kind<T>, handler: Handler<T>): () => void {
    const guarded = this.guard(handler)
    const cache = this.cache(kind)
    const place: { stop?: () => void } = {}
    const handlers = this.pending.get(kind.id)?.handlers
    if (cache) place.stop = cache.watch(guarded)
    else handlers?.set(guarded as unknown as Handler<KubeObject>, place)
    const stop = () => {
      handlers?.delete(guarded as unknown as Handler<KubeObject>)
      place.stop?.()
      this.stops.delete(stop)
    }
    if (!this.stopped) this.stops.add(stop)
    return stop
  }

  stop(): void {
    this.stopped = true
    for (const stop of [...this.stops]) stop()
    this.pending.clear()
    for (const [id, cache] of this.open) {
      const field = this.fields[id]
      if (field) partsOf(this.cluster.inform(cache.kind), field.path).close(field.value, cache)
    }
  }

  private openOne<T extends KubeObject>(kind: Kind<T>): Cache<T> {
    const informed = this.cluster.inform(kind)
    const field = this.fields[kind.id]
    const cache = field ? partsOf(informed, field.path).open(field.value) : informed.cache
    this.open.set(kind.id, cache as unknown as Cache)
    return cache
  }

  private readonly openAll = (): void => {
    const pending = [...this.pending.values()]
    this.pending.clear()
    for (const { kind } of pending) this.openOne(kind)
    for (const { kind, handlers } of pending)
      for (const [handler, place] of handlers) place.stop = this.open.get(kind.id)!.watch(handler)
  }

  private guard<T extends KubeObject>(handler: Handler<T>): Handler<T> {
    const safely = (call: () => void) => {
      if (this.stopped) return
      try {
        call()
      } catch (error) {
        this.cluster.world.clock.after(0, () => {
          throw error
        })
      }
    }
    const { added, updated, deleted } = handler
    return {
      ...(added && { added: (object) => safely(() => handler.added!(object)) }),
      ...(updated && { updated: (before, after) => safely(() => handler.updated!(before, after)) }),
      ...(deleted && { deleted: (object) => safely(() => handler.deleted!(object)) }),
    }
  }
}
