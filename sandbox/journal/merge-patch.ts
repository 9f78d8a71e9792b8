type Json = Record<string, unknown>

/** What an object itself has: a key may be called `toString`. */
const own = (object: Json, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined)

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The JSON merge patch (RFC 7386) that turns `before` into `after`; undefined when they are equal. Shared parts are skipped by identity. */
export function diff(before: unknown, after: unknown): unknown {
  if (before === after) return undefined
  if (!isObject(before) || !isObject(after)) return equal(before, after) ? undefined : after
  let patch: Json | undefined
  for (const key in before) {
    if (before[key] === undefined || own(after, key) !== undefined) continue
    patch ??= {}
    patch[key] = null
  }
  for (const key in after) {
    const was = own(before, key)
    const is = after[key]
    if (is === was || is === undefined) continue
    const change = was === undefined ? is : diff(was, is)
    if (change === undefined) continue
    patch ??= {}
    patch[key] = change
  }
  return patch
}

/** Applies a JSON merge patch without changing `target`. Parts the patch does not change are shared. */
export function merge<T>(target: T, patch: unknown): T {
  if (!isObject(patch)) return patch as T
  const old: Json | undefined = isObject(target) ? target : undefined
  let out = old ?? {}
  for (const key in patch) {
    const value = patch[key]
    if (value === undefined) continue
    const merged = isObject(value) ? merge(own(out, key), value) : value
    if (merged === null ? !Object.hasOwn(out, key) : merged === own(out, key)) continue
    if (out === old) out = { ...old }
    if (merged === null) delete out[key]
    else out[key] = merged
  }
  return out as T
}

/** Deep equality of JSON values; a field that is undefined equals one that is absent. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && equalItems(a, b)
  if (!isObject(a) || !isObject(b)) return false
  for (const key in a) if (!equal(a[key], own(b, key))) return false
  for (const key in b) if (b[key] !== undefined && !Object.hasOwn(a, key)) return false
  return true
}

function equalItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!equal(a[i], b[i])) return false
  return true
}

const clean = new WeakSet<object>()

/** The value without fields that are null: a client that sends null asks for nothing. Parts without any are shared. */
export function withoutNulls<T>(value: T): T {
  if (typeof value !== 'object' || value === null || clean.has(value)) return value
  const out = Array.isArray(value) ? itemsWithoutNulls(value) : fieldsWithoutNulls(value as Json)
  if (out === value && Object.isFrozen(value)) clean.add(value)
  return out as T
}

function itemsWithoutNulls(items: unknown[]): unknown[] {
  let out = items
  for (let i = 0; i < items.length; i++) {
    const item = withoutNulls(items[i])
    if (item === items[i]) continue
    if (out === items) out = [...items]
    out[i] = item
  }
  return out
}

function fieldsWithoutNulls(object: Json): Json {
  let out = object
  for (const key in object) {
    const field = object[key]
    const cleaned = field === null ? undefined : withoutNulls(field)
    if (cleaned === field) continue
    if (out === object) out = { ...object }
    if (cleaned === undefined) delete out[key]
    else out[key] = cleaned
  }
  return out
}
