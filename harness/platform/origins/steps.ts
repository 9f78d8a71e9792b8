import type { FieldPath } from '../path.ts'
import type { ScannedItem, ScannedStep } from './scan.ts'

/** A step of a path into an object; list items carry the name they have, which stays when others come before them. */
export type NamedStep = string | { readonly index: number; readonly name?: string }

/** The path with the names of the list items on its way. */
export function namedSteps(object: unknown, path: FieldPath): NamedStep[] {
  let value = object
  return path.map((part) => {
    value = value !== null && typeof value === 'object' ? (value as Record<string | number, unknown>)[part] : undefined
    if (typeof part === 'string') return part
    const name = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)['name'] : undefined
    return { index: part, ...(typeof name === 'string' ? { name } : {}) }
  })
}

/** Whether a template's step may come out as the wanted one. */
export function sameStep(scanned: ScannedStep | undefined, wanted: NamedStep | undefined): boolean {
  if (scanned === undefined || wanted === undefined) return false
  if (typeof scanned === 'string' || typeof wanted === 'string') return scanned === wanted
  return sameItem(scanned, wanted)
}

function sameItem(scanned: ScannedItem, wanted: { index: number; name?: string }): boolean {
  if (scanned.name !== undefined && wanted.name !== undefined) return scanned.name === wanted.name
  return scanned.repeated || scanned.index === wanted.index
}

/** The wanted path in a plain value: by names of list items, then by their places. Undefined where it leads nowhere. */
export function plainPath(value: unknown, wanted: readonly NamedStep[]): FieldPath | undefined {
  const path: (string | number)[] = []
  let node = value
  for (const step of wanted) {
    if (node === null || typeof node !== 'object') return undefined
    let part: string | number
    if (typeof step === 'string') part = step
    else {
      if (!Array.isArray(node)) return undefined
      const named = node.findIndex(
        (item: { name?: unknown } | null) => step.name !== undefined && item?.name === step.name,
      )
      const unnamed =
        step.name === undefined || !node.some((item: { name?: unknown } | null) => item?.name !== undefined)
      if (named < 0 && !unnamed) return undefined
      part = named >= 0 ? named : step.index
    }
    if (!Object.hasOwn(node, part)) return undefined
    node = (node as Record<string | number, unknown>)[part]
    path.push(part)
  }
  return path
}
