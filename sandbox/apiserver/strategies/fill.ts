import { formatQuantity, parseQuantity } from '../../kube/quantity.ts'
import { deepFreeze } from '../freeze.ts'

export type Json = Record<string, unknown>

/** Absent, or the zero value that Go cannot tell from absent: an empty string or 0. */
const isZero = (value: unknown): boolean => value === undefined || value === null || value === '' || value === 0

/** For pointer fields: `defaults` where the object has nothing. The same object when nothing is missing. */
export const fill = <T extends object>(object: T, defaults: Partial<T>): T =>
  filled(object, defaults, (value) => value === undefined || value === null)

/** For plain fields: `defaults` where the object has nothing, an empty string or 0. */
export const fillZero = <T extends object>(object: T, defaults: Partial<T>): T => filled(object, defaults, isZero)

function filled<T extends object>(object: T, defaults: Partial<T>, missing: (value: unknown) => boolean): T {
  let out = object
  for (const key in defaults) {
    if (!missing(object[key]) || defaults[key] === undefined) continue
    if (out === object) out = { ...object }
    out[key] = defaults[key] as T[typeof key]
  }
  return out
}

/** `object` with `key` passed through `change` when it is there. The same object when nothing changed. */
export function within<T extends object, K extends keyof T>(
  object: T,
  key: K,
  change: (value: NonNullable<T[K]>) => NonNullable<T[K]>,
): T {
  const value = object[key]
  if (value === undefined || value === null) return object
  const changed = change(value)
  return changed === value ? object : { ...object, [key]: changed }
}

/** Each item changed; the same array when none did. */
export function each<T>(items: T[], change: (item: T) => T): T[] {
  if (!Array.isArray(items)) return items
  let out = items
  for (let i = 0; i < items.length; i++) {
    const changed = change(items[i]!)
    if (changed === items[i]) continue
    if (out === items) out = [...items]
    out[i] = changed
  }
  return out
}

/**
 * Remembers results by the identity of frozen arguments, and that a result is its own result: the second pod of a template,
 * and every update of a stored object, cost one look-up.
 */
export function memoised<T extends object>(change: (value: T) => T): (value: T) => T {
  const known = new WeakMap<T, T>()
  return (value) => {
    const hit = known.get(value)
    if (hit) return hit
    const result = deepFreeze(change(value))
    if (Object.isFrozen(value)) known.set(value, result)
    known.set(result, result)
    return result
  }
}

/**
 * Quantities in canonical form, no finer than a thousandth, as the server stores them. Throws a QuantityError.
 * Follows pkg/apis/core/v1/defaults.go SetDefaults_ResourceList.
 */
export function canonicalQuantities(list: Record<string, string>): Record<string, string> {
  let out = list
  for (const name in list) {
    const text = canonicalQuantity(list[name])
    if (text === list[name]) continue
    if (out === list) out = { ...list }
    out[name] = text
  }
  return out
}

/** Quantities are few and come often. */
const canonicalTexts = new Map<string, string>()
const CANONICAL_TEXTS_MAX = 10_000

function canonicalQuantity(value: unknown): string {
  const given = String(value)
  let canonical = canonicalTexts.get(given)
  if (canonical === undefined) {
    canonical = canonicalOf(given)
    if (canonicalTexts.size < CANONICAL_TEXTS_MAX) canonicalTexts.set(given, canonical)
  }
  return canonical
}

function canonicalOf(value: string): string {
  const { nanos, format } = parseQuantity(value)
  const milli = nanos % 1_000_000n
  const rounded = milli === 0n ? nanos : nanos - milli + (nanos > 0n ? 1_000_000n : 0n)
  return formatQuantity({ nanos: rounded, format })
}
