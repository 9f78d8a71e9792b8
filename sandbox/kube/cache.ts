import type { Kind } from './kinds.ts'
import { keyOf } from './kinds.ts'
import type { Handler, Index, ListFilter } from './kube.ts'
import type { KubeObject } from './objects.ts'
import { selects } from './selects.ts'

/** An object at its place: indexes hold places, so that a new version is put in once. */
interface Place<T> {
  object: T
}

interface Indexed<T extends KubeObject> {
  readonly index: Index<T>
  readonly entries: Map<string, Map<string, Place<T>>>
}

/** One kind's objects as one process knows them, with indexes and handlers: client-go's shared informer. */
export class Cache<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>
  private readonly places = new Map<string, Place<T>>()
  private readonly indexes: Indexed<T>[] = []
  private handlers: Handler<T>[] = []
  /** Those of them that hear of updates: most changes are. */
  private updated: Handler<T>[] = []

  constructor(kind: Kind<T>) {
    this.kind = kind
  }

  get(key: string): T | undefined {
    return this.places.get(key)?.object
  }

  /** In the order in which the cache came to know them. */
  list(filter: ListFilter = {}): readonly T[] {
    const { namespace, selector } = filter
    const out: T[] = []
    for (const { object } of this.places.values()) {
      if (namespace !== undefined && object.metadata.namespace !== namespace) continue
      if (selector && !selects(selector, object.metadata.labels)) continue
      out.push(object)
    }
    return out
  }

  indexed(index: Index<T>, value: string): readonly T[] {
    let known = this.indexes.find((one) => one.index.name === index.name)
    if (!known) {
      known = { index, entries: new Map() }
      this.indexes.push(known)
      for (const [key, place] of this.places)
        for (const v of index.values(place.object)) put(known.entries, v, key, place)
    }
    const out: T[] = []
    const entry = known.entries.get(value)
    if (entry) for (const { object } of entry.values()) out.push(object)
    return out
  }

  watch(handler: Handler<T>): () => void {
    this.handlers.push(handler)
    if (handler.updated) this.updated.push(handler)
    if (handler.added) for (const { object } of [...this.places.values()]) handler.added(object)
    return () => {
      this.handlers = this.handlers.filter((h) => h !== handler)
      this.updated = this.updated.filter((h) => h !== handler)
    }
  }

  set(object: T, key = keyOf(object)): void {
    const place = this.places.get(key)
    // a delete and a create in one delivery are two objects, as DeltaFIFO's handlers see them
    if (place) {
      const before = place.object
      place.object = object
      for (const indexed of this.indexes) reindex(indexed, key, place, before)
      for (const handler of this.updated) handler.updated!(before, object)
    } else {
      const made = { object }
      this.places.set(key, made)
      for (const { index, entries } of this.indexes) for (const v of index.values(object)) put(entries, v, key, made)
      for (const handler of this.handlers) handler.added?.(object)
    }
  }

  /** Takes the object out; handlers get its last known version. */
  remove(object: T, key = keyOf(object)): void {
    const place = this.places.get(key)
    if (!place) return
    this.places.delete(key)
    for (const { index, entries } of this.indexes) for (const v of index.values(place.object)) take(entries, v, key)
    for (const handler of this.handlers) handler.deleted?.(object)
  }
}

/** A value that stays keeps its place: results are in the order in which the cache came to know the objects. */
function reindex<T extends KubeObject>({ index, entries }: Indexed<T>, key: string, place: Place<T>, before: T): void {
  const old = index.values(before)
  const values = index.values(place.object)
  for (const v of old) if (!values.includes(v)) take(entries, v, key)
  for (const v of values) if (!old.includes(v)) put(entries, v, key, place)
}

function put<T>(entries: Map<string, Map<string, T>>, value: string, key: string, place: T): void {
  const entry = entries.get(value)
  if (entry) entry.set(key, place)
  else entries.set(value, new Map([[key, place]]))
}

function take<T>(entries: Map<string, Map<string, T>>, value: string, key: string): void {
  const entry = entries.get(value)
  entry?.delete(key)
  if (entry?.size === 0) entries.delete(value)
}
