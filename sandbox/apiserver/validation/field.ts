/**
 * Causes of an Invalid answer, worded as upstream words them. Follows k8s.io/apimachinery/pkg/util/validation/field/errors.go.
 * A path is written as upstream prints it: `spec.containers[0].ports[1].name`, `limits[nvidia.com/gpu]`.
 */
export type Causes = string[]

export const invalidValue = (path: string, value: unknown, detail: string): string =>
  `${path}: Invalid value: ${shown(value)}${after(detail)}`

export const required = (path: string, detail = ''): string => `${path}: Required value${after(detail)}`

export const forbidden = (path: string, detail: string): string => `${path}: Forbidden${after(detail)}`

export const duplicate = (path: string, value: unknown): string => `${path}: Duplicate value: ${shown(value)}`

export const notFoundValue = (path: string, value: unknown): string => `${path}: Not found: ${shown(value)}`

export const notSupported = (path: string, value: unknown, supported: readonly string[]): string =>
  `${path}: Unsupported value: ${shown(value)}: supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}`

export const nonnegative = (value: number | undefined, path: string): Causes =>
  (value ?? 0) < 0 ? [invalidValue(path, value, NEGATIVE)] : []

export const immutable = (same: boolean, value: unknown, path: string): Causes =>
  same ? [] : [invalidValue(path, value, 'field is immutable')]

export const NEGATIVE = 'must be greater than or equal to 0'

/** One cause for each message. */
export const invalids = (path: string, value: unknown, messages: readonly string[]): Causes =>
  messages.map((message) => invalidValue(path, value, message))

const after = (detail: string): string => (detail ? `: ${detail}` : '')

/** As Go's encoding/json: <, > and & escaped. Fields come in the order given, which for maps must be the sorted one. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return JSON.stringify(value ?? null).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)
}

/** A map as Go prints it. */
export const sortedMap = <V>(map: Readonly<Record<string, V>> | undefined): Record<string, V> | undefined =>
  map && Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
