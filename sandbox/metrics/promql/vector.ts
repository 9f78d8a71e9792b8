import type { LabelSet } from '../tsdb/label-set.ts'
import { executionError } from './errors.ts'

/** One element of an instant vector. */
export interface Element {
  readonly labels: LabelSet
  readonly value: number
}

export type Vector = readonly Element[]

/** No two elements may have the same labels; operations that drop labels can make them so. */
export function unique(vector: Vector): Vector {
  if (vector.length < 2) return vector
  const seen = new Set<string>()
  for (const { labels } of vector) {
    if (seen.has(labels.key)) throw executionError('vector cannot contain metrics with the same labelset')
    seen.add(labels.key)
  }
  return vector
}
