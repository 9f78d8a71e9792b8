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

/** JSON with sorted keys and no undefined: equal values give equal bytes. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const object = value as Record<string, unknown>
  const keys = Object.keys(object).sort()
  let out = ''
  for (const key of keys) {
    const field = object[key]
    if (field === undefined) continue
    out += `${out ? ',' : ''}${JSON.stringify(key)}:${canonical(field)}`
  }
  return `{${out}}`
}
