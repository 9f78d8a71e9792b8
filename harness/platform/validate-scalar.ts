import { parseQuantity, QuantityError } from '../../sandbox/kube/quantity.ts'

/** What is wrong with a scalar: not of the type at all, or of it but with a value the API server refuses. */
export type ScalarProblem =
  | { readonly kind: 'type'; readonly wanted: string }
  | { readonly kind: 'value'; readonly message: string; readonly why: string; readonly fix: string }

const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/** Checks a scalar against a type of the schema dump; undefined when it is fine. */
export function checkScalar(value: unknown, type: string): ScalarProblem | undefined {
  if (type.startsWith('enum ')) return checkEnum(value, type.slice(5).split('|'))
  switch (type) {
    case 'string':
      return typeof value === 'string' ? undefined : { kind: 'type', wanted: 'a string' }
    case 'boolean':
      return typeof value === 'boolean' ? undefined : { kind: 'type', wanted: 'a boolean' }
    case 'int32':
      return Number.isInteger(value) && Math.abs(value as number) <= 2 ** 31 - 1
        ? undefined
        : { kind: 'type', wanted: 'an integer (int32)' }
    case 'int64':
      return Number.isInteger(value) ? undefined : { kind: 'type', wanted: 'an integer (int64)' }
    case 'number':
      return Number.isFinite(value) ? undefined : { kind: 'type', wanted: 'a number' }
    case 'int-or-string':
      return Number.isInteger(value) || typeof value === 'string'
        ? undefined
        : { kind: 'type', wanted: 'an integer or a string' }
    case 'quantity':
      return checkQuantity(value)
    case 'time':
      return checkTime(value)
    case 'bytes':
      return checkBytes(value)
  }
  return undefined
}

function checkEnum(value: unknown, allowed: readonly string[]): ScalarProblem | undefined {
  if (typeof value !== 'string') return { kind: 'type', wanted: 'a string' }
  if (value === '' || allowed.includes(value)) return undefined
  const near = allowed.find((one) => one.toLowerCase() === value.toLowerCase())
  return {
    kind: 'value',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${[...allowed]
      .sort()
      .map((one) => `"${one}"`)
      .join(', ')}`,
    why: 'The API server takes only these values, written exactly so.',
    fix: near ? `Did you mean ${near}?` : 'Choose one of the supported values.',
  }
}

function checkQuantity(value: unknown): ScalarProblem | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return undefined
  if (typeof value !== 'string') return { kind: 'type', wanted: 'a quantity (a number, or a string such as 80Gi)' }
  try {
    parseQuantity(value)
    return undefined
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error
    const near = /^([0-9.]+)\s*([KMGTPE]i?)B?$/i.exec(value)
    return {
      kind: 'value',
      message: `Invalid value: ${JSON.stringify(value)}: ${error.message}`,
      why: 'Kubernetes quantities end in Ki, Mi, Gi, Ti, Pi, Ei, or m, k, M, G, T, P, E, or nothing.',
      fix: near ? `Did you mean ${near[1]}${suffixOf(near[2]!)}?` : 'Write it like 80Gi, 500m or 4.',
    }
  }
}

/** `gb` → `G`, `GIB` → `Gi`. */
const suffixOf = (unit: string): string => `${unit[0]!.toUpperCase()}${unit.length > 1 ? 'i' : ''}`.replace(/^K$/, 'k')

function checkTime(value: unknown): ScalarProblem | undefined {
  if (typeof value !== 'string') return { kind: 'type', wanted: 'a time (2026-01-31T12:00:00Z)' }
  if (TIME.test(value)) return undefined
  return {
    kind: 'value',
    message: `Invalid value: ${JSON.stringify(value)}: must be a time as RFC 3339 writes it`,
    why: 'The API server could not decode the object.',
    fix: 'Write it like 2026-01-31T12:00:00Z, or remove the field.',
  }
}

function checkBytes(value: unknown): ScalarProblem | undefined {
  if (typeof value !== 'string') return { kind: 'type', wanted: 'a string' }
  const compact = value.replace(/[\r\n]/g, '')
  if (compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined
  return {
    kind: 'value',
    message: 'Invalid value: illegal base64 data',
    why: 'Fields of this type hold base64.',
    fix: 'Encode the value with base64; in a Secret, stringData takes plain text.',
  }
}
