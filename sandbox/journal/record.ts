import type { Us } from '../world/time.ts'

/** The journal's schema. Every record carries the virtual time it happened at; `by` is the process or actor that caused it. */
export type JournalRecord =
  | ObjectRecord
  | EventRecord
  | LogRecord
  | RequestRecord
  | SampleRecord
  | FaultRecord
  | PhaseRecord
  | NoteRecord
  | AlertRecord

/** What an append takes: the time is filled in. */
export type Unstamped<R extends JournalRecord = JournalRecord> = R extends JournalRecord ? Omit<R, 'at'> : never

interface Stamped {
  at: Us
}

/** An object came, changed or went. `ADDED` carries it whole, `MODIFIED` a JSON merge patch (RFC 7386) from the version before. */
export interface ObjectRecord extends Stamped {
  type: 'object'
  verb: 'ADDED' | 'MODIFIED' | 'DELETED'
  kind: string
  key: string
  resourceVersion: number
  by: string
  value?: unknown
}

/** A Kubernetes Event, as `kubectl describe` would list it. */
export interface EventRecord extends Stamped {
  type: 'event'
  by: string
  level: 'Normal' | 'Warning'
  reason: string
  message: string
  kind: string
  key: string
}

/** A line a container wrote. */
export interface LogRecord extends Stamped {
  type: 'log'
  pod: string
  container: string
  line: string
}

/** The end of one inference request; times in microseconds, measured from the *intended* send time. */
export interface RequestRecord extends Stamped {
  type: 'request'
  id: string
  target: string
  pod?: string
  outcome: 'ok' | 'truncated' | 'refused' | 'reset' | 'http' | 'timeout' | 'no-endpoints' | 'unfinished'
  status?: number
  intendedAt: Us
  ttftUs?: number
  e2eUs?: number
  promptTokens: number
  outputTokens: number
  /** Which of several kinds of clients sent it. */
  tenant?: string
  /** Times it was sent, where more than once. */
  attempts?: number
  /** The rule of a proxy on the way that ended it, where none of the servers did. */
  endedBy?: string
}

/** One observation of a quantity. */
export interface SampleRecord extends Stamped {
  type: 'sample'
  metric: string
  labels: Record<string, string>
  value: number
}

export interface FaultRecord extends Stamped {
  type: 'fault'
  fault: string
  step: 'inject' | 'visible' | 'heal' | 'invisible'
  target: string
  detail?: string
}

/** A step of the main path: apply, settle, timeline, heal, converge, judge. */
export interface PhaseRecord extends Stamped {
  type: 'phase'
  phase: string
}

/** Something an actor decided that no object shows: an OOM kill, a connection reset, a scheduling pass. */
export interface NoteRecord extends Stamped {
  type: 'note'
  by: string
  about: string
  text: string
}

/** An alert of a Prometheus came, fired or ended, or its expression could not be evaluated. */
export interface AlertRecord extends Stamped {
  type: 'alert'
  by: string
  alert: string
  labels: Readonly<Record<string, string>>
  /** `pending`: the expression holds, and not yet as long as it must. */
  state: 'pending' | 'firing' | 'inactive' | 'failed'
  /** Since when the expression held; now, for one that failed. */
  activeAt: Us
  /** What Prometheus says of an expression that failed. */
  error?: string
}

/** JSON with sorted keys and no undefined: equal values give equal bytes. Text of large frozen parts is remembered. */
export function canonical(value: unknown): string {
  return text(value, MEMO_DEPTH)
}

/** Objects are shared between records near the top (a pod's spec, its template), so only there a look-up pays. */
const MEMO_DEPTH = 3
const MEMO_MIN_LENGTH = 200
const known = new WeakMap<object, string>()

function text(value: unknown, memo: number): string {
  if (typeof value !== 'object' || value === null) return scalar(value)
  if (memo > 0) {
    const before = known.get(value)
    if (before !== undefined) return before
  }
  const out = Array.isArray(value) ? items(value, memo - 1) : fields(value as Record<string, unknown>, memo - 1)
  if (memo > 0 && out.length >= MEMO_MIN_LENGTH && Object.isFrozen(value)) known.set(value, out)
  return out
}

/** What JSON.stringify would quote and escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/

function scalar(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : 'null'
  if (typeof value === 'string') return ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`
  return JSON.stringify(value) ?? 'null'
}

function items(list: readonly unknown[], memo: number): string {
  let out = '['
  for (let i = 0; i < list.length; i++) out += i === 0 ? text(list[i], memo) : `,${text(list[i], memo)}`
  return `${out}]`
}

function fields(object: Record<string, unknown>, memo: number): string {
  let out = ''
  for (const key of fieldOrder(object)) {
    const field = object[key]
    if (field === undefined) continue
    out += out === '' ? `{${keyText(key)}` : `,${keyText(key)}`
    out += text(field, memo)
  }
  return out === '' ? '{}' : `${out}}`
}

/** Field names are few and come often. */
const keyTexts = new Map<string, string>()
const KEY_TEXTS_MAX = 10_000

function keyText(key: string): string {
  const before = keyTexts.get(key)
  if (before !== undefined) return before
  const made = `${scalar(key)}:`
  if (keyTexts.size < KEY_TEXTS_MAX) keyTexts.set(key, made)
  return made
}

/** Orders found for the names of an object's fields, at a place that follows from them: the next object tends to have the same. */
const orders: ({ readonly given: readonly string[]; readonly sorted: readonly string[] } | undefined)[] = []
const ORDERS = 256

/** The names of an object's fields as canonical text has them. */
export function fieldOrder(object: object): readonly string[] {
  const keys = Object.keys(object)
  const { length } = keys
  if (length < 2) return keys
  const place = (length * 31 + keys[0]!.length * 7 + keys[length - 1]!.length) % ORDERS
  const known = orders[place]
  if (known && sameTexts(known.given, keys)) return known.sorted
  const order = { given: keys, sorted: [...keys].sort() }
  orders[place] = order
  return order.sorted
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
