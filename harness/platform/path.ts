/** Where a value is in an object: keys of maps and indexes of lists. */
export type FieldPath = readonly (string | number)[]

/**
 * Reads a path as kubectl writes it: `spec.containers[0].image`, `metadata.labels[app.kubernetes.io/name]`.
 * A key of digits in a map is quoted: `data["0"]`.
 */
export function parsePath(text: string): FieldPath {
  const path: (string | number)[] = []
  for (const [, plain, quoted, bracketed] of text.matchAll(/([^.[\]]+)|\[("(?:[^"\\]|\\.)*")\]|\[([^\]]*)\]/g)) {
    if (plain !== undefined) path.push(plain)
    else if (quoted !== undefined) path.push(JSON.parse(quoted) as string)
    else path.push(/^\d+$/.test(bracketed!) ? Number(bracketed) : bracketed!)
  }
  return path
}

/** Writes a path as kubectl does; `parsePath` reads it back. */
export function formatPath(path: FieldPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (part === '' || /["[\]\\]|^\d+$/.test(part)) text += `[${JSON.stringify(part)}]`
    else if (part.includes('.')) text += `[${part}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}

/** A path given either way. */
export const asPath = (path: string | FieldPath): FieldPath => (typeof path === 'string' ? parsePath(path) : path)

/** The value at a path; undefined where there is none or a null, which the API server decodes alike. */
export function valueAt(root: unknown, path: string | FieldPath): unknown {
  let value = root
  for (const part of asPath(path)) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value ?? undefined
}
