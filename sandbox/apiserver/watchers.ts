import { ApiError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/objects.ts'

/** One write, as watchers see it. `object` is the new version, or the last one for DELETED. */
export interface StoreEvent<T extends KubeObject = KubeObject> {
  verb: 'ADDED' | 'MODIFIED' | 'DELETED'
  version: number
  /** As by `keyOf`. */
  key: string
  before: T | undefined
  object: T
}

export interface WatchOptions {
  /** Replays what came after this version. */
  fromVersion?: number
  /** Only objects whose field has this value; an object that leaves or enters is DELETED or ADDED. */
  field?: { path: FieldPath; value: string }
}

export type FieldPath = 'spec.nodeName' | 'metadata.name'

type Send = (event: StoreEvent) => void

/** One watch. */
interface Watching {
  readonly send: Send
}

interface History {
  readonly events: StoreEvent[]
  /** The version of the newest event that was dropped. */
  dropped: number
}

/** Who watches one value of a field, by value. */
interface FieldWatches {
  readonly path: FieldPath
  readonly byValue: Map<string, Set<Watching>>
}

/** The watches of one kind. */
interface KindWatches {
  readonly history: History
  readonly all: Set<Watching>
  readonly byField: FieldWatches[]
}

/** The watch cache: sends each write to those who asked for it. Follows k8s.io/apiserver pkg/storage/cacher. */
export class Watchers {
  private readonly kinds = new Map<string, KindWatches>()
  private readonly capacity: number

  /** Keeps at least `capacity` events of each kind for watches that start at an earlier version. */
  constructor(capacity = 4096) {
    this.capacity = capacity
  }

  add(kind: string, options: WatchOptions, send: Send): () => void {
    if (options.fromVersion !== undefined) this.replay(kind, options.fromVersion, options, send)
    const { field } = options
    const watches = this.of(kind)
    const set = field ? fieldSet(watches, field) : watches.all
    // an object of its own, so that one callback may watch twice
    const own: Watching = { send }
    set.add(own)
    return () => set.delete(own)
  }

  send(kind: string, event: StoreEvent): void {
    const { history, all, byField } = this.of(kind)
    this.keep(history, event)
    for (const { send } of all) send(event)
    for (const { path, byValue } of byField) {
      const before = event.before && fieldOf(event.before, path)
      const now = fieldOf(event.object, path)
      const here = byValue.get(now)
      if (here) for (const { send } of here) forField(event, path, now, send)
      if (before === undefined || before === now) continue
      const there = byValue.get(before)
      if (there) for (const { send } of there) forField(event, path, before, send)
    }
  }

  private of(kind: string): KindWatches {
    let watches = this.kinds.get(kind)
    if (!watches) {
      watches = { history: { events: [], dropped: 0 }, all: new Set(), byField: [] }
      this.kinds.set(kind, watches)
    }
    return watches
  }

  private keep(history: History, event: StoreEvent): void {
    history.events.push(event)
    if (history.events.length <= 2 * this.capacity) return
    history.dropped = history.events[this.capacity]!.version
    history.events.splice(0, this.capacity + 1)
  }

  private replay(kind: string, from: number, options: WatchOptions, send: Send): void {
    const { history } = this.of(kind)
    if (from < history.dropped)
      throw new ApiError(410, 'Expired', `too old resource version: ${from} (${history.dropped})`)
    for (const event of [...history.events]) {
      if (event.version <= from) continue
      if (options.field) forField(event, options.field.path, options.field.value, send)
      else send(event)
    }
  }
}

/** What a watch on one field's value makes of a write. An object that leaves is shown as it was. */
function forField(event: StoreEvent, path: FieldPath, value: string, send: Send): void {
  const had = event.before !== undefined && fieldOf(event.before, path) === value
  const has = event.verb !== 'DELETED' && fieldOf(event.object, path) === value
  if (had && has) send(event)
  else if (has) send({ ...event, verb: 'ADDED', before: undefined })
  else if (had) send({ ...event, verb: 'DELETED', object: event.verb === 'DELETED' ? event.object : left(event) })
}

/** The last version that matched, under the version of the write that took it away. Follows cacher/cache_watcher.go. */
function left({ before, version }: StoreEvent): KubeObject {
  const object = before!
  return Object.freeze({
    ...object,
    metadata: Object.freeze({ ...object.metadata, resourceVersion: String(version) }),
  })
}

/** Whether a watch on the field's value shows the object. */
export const fieldMatches = (object: KubeObject, { path, value }: NonNullable<WatchOptions['field']>): boolean =>
  fieldOf(object, path) === value

/** A field that is not set has the empty value, as in field selectors. */
export function fieldOf(object: KubeObject, path: FieldPath): string {
  if (path === 'metadata.name') return object.metadata.name
  return (object as KubeObject & { spec?: { nodeName?: string } }).spec?.nodeName ?? ''
}

function fieldSet({ byField }: KindWatches, { path, value }: NonNullable<WatchOptions['field']>): Set<Watching> {
  let watches = byField.find((known) => known.path === path)
  if (!watches) {
    watches = { path, byValue: new Map() }
    byField.push(watches)
  }
  let set = watches.byValue.get(value)
  if (!set) {
    set = new Set()
    watches.byValue.set(value, set)
  }
  return set
}
