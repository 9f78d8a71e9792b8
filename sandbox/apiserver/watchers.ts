import { ApiError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/objects.ts'

/** One write, as watchers see it. `object` is the new version, or the last one for DELETED. */
export interface StoreEvent<T extends KubeObject = KubeObject> {
  verb: 'ADDED' | 'MODIFIED' | 'DELETED'
  version: number
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

/** Events kept for a watch that starts at an earlier version, per kind. */
const HISTORY = 4096

/** The watch cache: sends each write to those who asked for it. Follows k8s.io/apiserver pkg/storage/cacher. */
export class Watchers {
  private readonly all = new Map<string, Set<Send>>()
  private readonly byField = new Map<string, Map<FieldPath, Map<string, Set<Send>>>>()
  private readonly history = new Map<string, StoreEvent[]>()

  add(kind: string, options: WatchOptions, send: Send): () => void {
    if (options.fromVersion !== undefined) this.replay(kind, options, send)
    const { field } = options
    const set = field
      ? at(
          at(at(this.byField, kind, newMap<FieldPath, Map<string, Set<Send>>>), field.path, newMap<string, Set<Send>>),
          field.value,
          newSet,
        )
      : at(this.all, kind, newSet)
    // a fresh function each time, so that one callback may watch twice
    const own: Send = (event) => send(event)
    set.add(own)
    return () => set.delete(own)
  }

  send(kind: string, event: StoreEvent): void {
    const history = at(this.history, kind, () => [])
    history.push(event)
    if (history.length > 2 * HISTORY) history.splice(0, HISTORY)
    for (const send of this.all.get(kind) ?? []) send(event)
    const fields = this.byField.get(kind)
    if (!fields) return
    for (const [path, values] of fields) {
      const before = event.before && fieldOf(event.before, path)
      const now = fieldOf(event.object, path)
      if (now !== undefined) for (const send of values.get(now) ?? []) forField(event, { path, value: now }, send)
      if (before !== undefined && before !== now)
        for (const send of values.get(before) ?? []) forField(event, { path, value: before }, send)
    }
  }

  private replay(kind: string, options: WatchOptions, send: Send): void {
    const history = this.history.get(kind) ?? []
    const from = options.fromVersion!
    const oldest = history[0]?.version
    if (history.length >= HISTORY && oldest !== undefined && from + 1 < oldest)
      throw new ApiError(410, 'Expired', `too old resource version: ${from} (${oldest})`)
    for (const event of history) {
      if (event.version <= from) continue
      if (options.field) forField(event, options.field, send)
      else send(event)
    }
  }
}

/** What a watch on one field's value makes of a write. */
function forField(event: StoreEvent, field: NonNullable<WatchOptions['field']>, send: Send): void {
  const had = event.before !== undefined && fieldOf(event.before, field.path) === field.value
  const has = event.verb !== 'DELETED' && fieldOf(event.object, field.path) === field.value
  if (had && has) send(event)
  else if (has) send({ ...event, verb: 'ADDED', before: undefined })
  else if (had) send({ ...event, verb: 'DELETED' })
}

function fieldOf(object: KubeObject, path: string): string | undefined {
  return path === 'metadata.name'
    ? object.metadata.name
    : (object as KubeObject & { spec?: { nodeName?: string } }).spec?.nodeName
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

const newMap = <K, V>() => new Map<K, V>()
const newSet = () => new Set<Send>()
