import type { Kind } from './kinds.ts'
import { keyOf } from './kinds.ts'
import type { Handler, Index, ListFilter } from './kube.ts'
import type { KubeObject } from './objects.ts'
import { selects } from './selects.ts'

/** One kind's objects as one process knows them, with indexes and handlers: client-go's shared informer. */
export class Cache<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>
  private readonly objects = new Map<string, T>()
  private readonly indexes = new Map<string, { index: Index<T>; entries: Map<string, Map<string, T>> }>()
  private handlers: Handler<T>[] = []

  constructor(kind: Kind<T>) {
    this.kind = kind
  }

  get(key: string): T | undefined {
    return this.objects.get(key)
  }

  /** In the order in which the cache came to know them. */
  list(filter: ListFilter = {}): readonly T[] {
    const { namespace, selector } = filter
    const out: T[] = []
    for (const object of this.objects.values()) {
      if (namespace !== undefined && object.metadata.namespace !== namespace) continue
      if (selector && !selects(selector, object.metadata.labels)) continue
      out.push(object)
    }
    return out
  }

  indexed(index: Index<T>, value: string): readonly T[] {
    let known = this.indexes.get(index.name)
    if (!known) {
      known = { index, entries: new Map() }
      this.indexes.set(index.name, known)
      for (const [key, object] of this.objects) for (const v of index.values(object)) put(known.entries, v, key, object)
    }
    return [...(known.entries.get(value)?.values() ?? [])]
  }

  watch(handler: Handler<T>): () => void {
    this.handlers.push(handler)
    if (handler.added) for (const object of [...this.objects.values()]) handler.added(object)
    return () => {
      this.handlers = this.handlers.filter((h) => h !== handler)
    }
  }

  set(object: T): void {
    const key = keyOf(object)
    const before = this.objects.get(key)
    this.objects.set(key, object)
    for (const { index, entries } of this.indexes.values()) {
      // a value that stays keeps its place: results are in the order in which the cache came to know the objects
      const values = index.values(object)
      if (before) for (const v of index.values(before)) if (!values.includes(v)) take(entries, v, key)
      for (const v of values) put(entries, v, key, object)
    }
    // a delete and a create in one delivery are two objects, as DeltaFIFO's handlers see them
    for (const handler of this.handlers) {
      if (before) handler.updated?.(before, object)
      else handler.added?.(object)
    }
  }

  /** Takes the object out; handlers get its last known version. */
  remove(object: T): void {
    const key = keyOf(object)
    const before = this.objects.get(key)
    if (!before) return
    this.objects.delete(key)
    for (const { index, entries } of this.indexes.values()) for (const v of index.values(before)) take(entries, v, key)
    for (const handler of this.handlers) handler.deleted?.(object)
  }
}

function put<T>(entries: Map<string, Map<string, T>>, value: string, key: string, object: T): void {
  const entry = entries.get(value)
  if (entry) entry.set(key, object)
  else entries.set(value, new Map([[key, object]]))
}

function take<T>(entries: Map<string, Map<string, T>>, value: string, key: string): void {
  const entry = entries.get(value)
  entry?.delete(key)
  if (entry?.size === 0) entries.delete(value)
}
