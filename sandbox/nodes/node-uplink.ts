import type { Kind } from '../kube/kinds.ts'
import { keyOf } from '../kube/kinds.ts'
import type { DeleteOptions, EvictOptions, Handler, Index, Kube, ListFilter, PatchOptions } from '../kube/kube.ts'
import type { Draft, KubeObject, Scale } from '../kube/objects.ts'
import { selects } from '../kube/selects.ts'
import { Signal, type Task } from '../world/actor.ts'

interface Watching {
  readonly kind: Kind
  readonly handler: Handler<KubeObject>
}

/**
 * A kubelet's way to the API server, which can be cut. While it is, caches stand still and requests wait; afterwards the caches
 * catch up as after a relist, and requests are made (upstream they time out and are tried again). Events are kept and carry the
 * time of their sending.
 */
export class Uplink implements Kube {
  readonly process: string
  private readonly inner: Kube
  private readonly restored = new Signal()
  private readonly kinds = new Map<string, Kind>()
  private readonly unsent: (() => void)[] = []
  private readonly watching = new Set<Watching>()
  private readonly parts: Uplink[] = []
  /** By kind id, what the caches held when the way was cut. */
  private frozen: Map<string, Map<string, KubeObject>> | undefined

  constructor(inner: Kube) {
    this.inner = inner
    this.process = inner.process
  }

  get isCut(): boolean {
    return this.frozen !== undefined
  }

  cut(): void {
    if (this.frozen) return
    this.frozen = new Map()
    for (const kind of this.kinds.values()) this.frozen.set(kind.id, byKey(this.inner.list(kind)))
    for (const part of this.parts) part.cut()
  }

  restore(): void {
    const { frozen } = this
    if (!frozen) return
    this.frozen = undefined
    for (const { kind, handler } of [...this.watching])
      catchUp(handler, frozen.get(kind.id) ?? new Map(), byKey(this.inner.list(kind)))
    for (const send of this.unsent.splice(0)) send()
    this.restored.notify()
    for (const part of this.parts) part.restore()
  }

  get<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined {
    const held = this.held(kind)
    return held ? held.get(key) : this.inner.get(kind, key)
  }

  list<T extends KubeObject>(kind: Kind<T>, filter: ListFilter = {}): readonly T[] {
    const held = this.held(kind)
    if (!held) return this.inner.list(kind, filter)
    const { namespace, selector } = filter
    return [...held.values()].filter(
      ({ metadata }) =>
        (namespace === undefined || metadata.namespace === namespace) &&
        (!selector || selects(selector, metadata.labels)),
    )
  }

  indexed<T extends KubeObject>(index: Index<T>, value: string): readonly T[] {
    const held = this.held(index.kind)
    if (!held) return this.inner.indexed(index, value)
    return [...held.values()].filter((object) => index.values(object).includes(value))
  }

  watch<T extends KubeObject>(kind: Kind<T>, handler: Handler<T>): () => void {
    const watching: Watching = { kind: kind as unknown as Kind, handler: handler as unknown as Handler<KubeObject> }
    const held = this.held(kind)
    this.watching.add(watching)
    const stop = this.inner.watch(kind, {
      added: (object) => this.frozen ?? handler.added?.(object),
      updated: (before, object) => this.frozen ?? handler.updated?.(before, object),
      deleted: (object) => this.frozen ?? handler.deleted?.(object),
    })
    for (const object of held?.values() ?? []) handler.added?.(object)
    return () => {
      this.watching.delete(watching)
      stop()
    }
  }

  read<T extends KubeObject>(kind: Kind<T>, key: string): Task<T> {
    return this.through(this.inner.read(kind, key))
  }

  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>): Task<T> {
    return this.through(this.inner.create(kind, object))
  }

  update<T extends KubeObject>(kind: Kind<T>, object: T): Task<T> {
    return this.through(this.inner.update(kind, object))
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Task<T> {
    return this.through(this.inner.updateStatus(kind, object))
  }

  patch<T extends KubeObject>(kind: Kind<T>, key: string, patch: unknown, options?: PatchOptions): Task<T> {
    return this.through(this.inner.patch(kind, key, patch, options))
  }

  delete<T extends KubeObject>(kind: Kind<T>, key: string, options?: DeleteOptions): Task<void> {
    return this.through(this.inner.delete(kind, key, options))
  }

  bind(podKey: string, uid: string, nodeName: string): Task<void> {
    return this.through(this.inner.bind(podKey, uid, nodeName))
  }

  evict(podKey: string, options?: EvictOptions): Task {
    return this.through(this.inner.evict(podKey, options))
  }

  readScale(kind: Kind, key: string): Task<Scale> {
    return this.through(this.inner.readScale(kind, key))
  }

  updateScale(kind: Kind, scale: Scale): Task<Scale> {
    return this.through(this.inner.updateScale(kind, scale))
  }

  event(about: KubeObject, level: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.frozen) this.unsent.push(() => this.inner.event(about, level, reason, message))
    else this.inner.event(about, level, reason, message)
  }

  client(name: string): Kube {
    const part = new Uplink(this.inner.client(name))
    this.parts.push(part)
    if (this.frozen) part.cut()
    return part
  }

  /** What the cache of the kind held at the cut; undefined while there is none. */
  private held<T extends KubeObject>(kind: Kind<T>): Map<string, T> | undefined {
    this.kinds.set(kind.id, kind as unknown as Kind)
    return this.frozen?.get(kind.id) as Map<string, T> | undefined
  }

  /** `request` begins when the way is there. */
  private *through<T>(request: Task<T>): Task<T> {
    while (this.frozen) yield* this.restored.wait()
    let outcome: { value: T } | { error: unknown }
    try {
      outcome = { value: yield* request }
    } catch (error) {
      outcome = { error }
    }
    // the server may have acted, but its answer does not arrive
    while (this.frozen) yield* this.restored.wait()
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }
}

const byKey = (objects: readonly KubeObject[]) => new Map(objects.map((object) => [keyOf(object), object]))

/** What a reflector's relist tells its handlers. */
function catchUp(handler: Handler<KubeObject>, before: Map<string, KubeObject>, now: Map<string, KubeObject>): void {
  for (const [key, object] of now) {
    const old = before.get(key)
    if (!old) handler.added?.(object)
    else if (old !== object) handler.updated?.(old, object)
  }
  for (const [key, object] of before) if (!now.has(key)) handler.deleted?.(object)
}
