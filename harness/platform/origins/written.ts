import type { FieldPath } from '../path.ts'
import type { Origin, PlatformObject } from '../platform.ts'
import { helmPosition } from './helm.ts'
import { kustomizePosition } from './kustomize.ts'

/** A place in a file of the repository. */
export interface Written {
  readonly file: string
  readonly line: number
  readonly column: number
  /** How what stands there comes into the object. */
  readonly via?: string
}

/** Where a field that is there in a rendered object was written; undefined where that cannot be told. */
export function writtenAt({ manifest }: PlatformObject, { sources }: Origin, path: FieldPath): Written | undefined {
  if (!sources) return undefined
  return sources.tool === 'helm' ? helmPosition(manifest, path, sources) : kustomizePosition(manifest, path, sources)
}
