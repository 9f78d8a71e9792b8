import { merge } from '../sandbox/journal/merge-patch.ts'
import type { JournalRecord, ObjectRecord } from '../sandbox/journal/record.ts'
import type { Kind } from '../sandbox/kube/kinds.ts'
import type { KubeObject } from '../sandbox/kube/objects.ts'

/** A change of an object, with both its versions. */
export interface Change {
  readonly kind: string
  readonly key: string
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
}

/** The cluster's objects as the journal's records make them: exact and without lag, for judging only. */
export class ObjectsView {
  private readonly kinds = new Map<string, Map<string, KubeObject>>()

  get<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined {
    return this.kinds.get(kind.id)?.get(key) as T | undefined
  }

  list<T extends KubeObject>(kind: Kind<T>): T[] {
    return [...(this.kinds.get(kind.id)?.values() ?? [])] as T[]
  }

  /** The objects of every kind. */
  all(): KubeObject[] {
    return [...this.kinds.values()].flatMap((objects) => [...objects.values()])
  }

  /** Takes in a record; says what changed when it is about an object. */
  apply(record: JournalRecord): Change | undefined {
    if (record.type !== 'object') return undefined
    const objects = this.objectsOf(record)
    const before = objects.get(record.key)
    if (record.verb === 'DELETED') {
      objects.delete(record.key)
      return { kind: record.kind, key: record.key, before, after: undefined }
    }
    const after = (record.verb === 'ADDED' ? record.value : merge(before, record.value)) as KubeObject
    objects.set(record.key, after)
    return { kind: record.kind, key: record.key, before, after }
  }

  private objectsOf(record: ObjectRecord): Map<string, KubeObject> {
    let objects = this.kinds.get(record.kind)
    if (!objects) {
      objects = new Map()
      this.kinds.set(record.kind, objects)
    }
    return objects
  }
}
