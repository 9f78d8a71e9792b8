import { type FieldPath, fieldOf } from '../../apiserver/watchers.ts'
import { Cache } from '../cache.ts'
import type { Index } from '../kube.ts'
import type { KubeObject } from '../objects.ts'
import type { Informer } from './informer.ts'

/**
 * Parts of one cache by the value of a field, each a cache of its own: a watch with a field selector without the watch. A change
 * goes to the parts it concerns and to no other, so that a thousand parts cost no more than the changes.
 */
export class Parts<T extends KubeObject> {
  private readonly whole: Cache<T>
  private readonly path: FieldPath
  private readonly index: Index<T>
  private readonly byValue = new Map<string, Set<Cache<T>>>()

  constructor(whole: Cache<T>, path: FieldPath) {
    this.whole = whole
    this.path = path
    this.index = { kind: whole.kind, name: path, values: (object) => [fieldOf(object, path)] }
    whole.watch({
      updated: (before, after) => this.changed(before, after),
      deleted: (object) => this.each(object, (part) => part.remove(object)),
      added: (object) => this.each(object, (part) => part.set(object)),
    })
  }

  /** A new part, with what is there. */
  open(value: string): Cache<T> {
    const part = new Cache<T>(this.whole.kind)
    for (const object of this.whole.indexed(this.index, value)) part.set(object)
    const parts = this.byValue.get(value)
    if (parts) parts.add(part)
    else this.byValue.set(value, new Set([part]))
    return part
  }

  /** The part stays as it is. */
  close(value: string, part: Cache<T>): void {
    const parts = this.byValue.get(value)
    parts?.delete(part)
    if (parts?.size === 0) this.byValue.delete(value)
  }

  private changed(before: T, after: T): void {
    if (fieldOf(before, this.path) !== fieldOf(after, this.path)) this.each(before, (part) => part.remove(before))
    this.each(after, (part) => part.set(after))
  }

  private each(object: T, act: (part: Cache<T>) => void): void {
    const parts = this.byValue.get(fieldOf(object, this.path))
    if (parts) for (const part of parts) act(part)
  }
}

/** A kind that a cluster follows: the whole of it, and its parts by the fields that views narrow it by. */
export interface Informed<T extends KubeObject = KubeObject> {
  readonly cache: Cache<T>
  readonly parts: Map<FieldPath, Parts<T>>
  informer?: Informer<T>
}

/** The parts by a field, made at their first use. */
export function partsOf<T extends KubeObject>({ cache, parts }: Informed<T>, path: FieldPath): Parts<T> {
  let made = parts.get(path)
  if (!made) {
    made = new Parts(cache, path)
    parts.set(path, made)
  }
  return made
}
