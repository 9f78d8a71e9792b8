import { EPOCH_MS } from '../../world/time.ts'
import type { Rest, RestRequest, WatchEvent } from './rest.ts'

/**
 * The same API server, whose objects carry trial time: what it says is moved so that `zeroMs` (Unix milliseconds, a whole second)
 * becomes trial time 0, and what is sent to it is moved back. Actors on a clock that began at `zeroMs` see times that agree with it.
 */
export function inTrialTime(rest: Rest, zeroMs: number): Rest {
  const shiftMs = zeroMs - EPOCH_MS
  return {
    async send(request: RestRequest) {
      const { body } = request
      const sent = body === undefined ? request : { ...request, body: moved(body, shiftMs) }
      return moved(await rest.send(sent), -shiftMs)
    },
    watch: (path, signal, onEvent) =>
      rest.watch(path, signal, (event: WatchEvent) => onEvent({ ...event, object: moved(event.object, -shiftMs) })),
  }
}

/** Fields that hold a metav1.Time or MicroTime have such names in every API. */
const TIME_FIELD = /(Time|Timestamp|At|^timeAdded|^time)$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
/** Kubernetes reads these only with six digits behind the second (metav1.MicroTime). */
const MICRO_TIME = new Set(['renewTime', 'acquireTime', 'eventTime'])

/** The value with its times moved; parts without a time are the same objects. */
export function moved(value: unknown, shiftMs: number, field = ''): unknown {
  if (typeof value === 'string')
    return TIME_FIELD.test(field) && TIME.test(value) ? timeMoved(value, shiftMs, field) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return itemsMoved(value, shiftMs)
  let out: Record<string, unknown> | undefined
  for (const key in value) {
    const before = (value as Record<string, unknown>)[key]
    if (typeof before !== 'object' && typeof before !== 'string') continue
    const after = moved(before, shiftMs, key)
    if (after === before) continue
    out ??= { ...value }
    out[key] = after
  }
  return out ?? value
}

function itemsMoved(list: readonly unknown[], shiftMs: number): readonly unknown[] {
  let out: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const after = moved(list[i], shiftMs)
    if (after === list[i]) continue
    out ??= [...list]
    out[i] = after
  }
  return out ?? list
}

function timeMoved(text: string, shiftMs: number, field: string): string {
  const whole = new Date(Date.parse(`${text.slice(0, 19)}Z`) + shiftMs).toISOString().slice(0, 19)
  const fraction = text.slice(19, -1)
  return `${whole}${fraction || (MICRO_TIME.has(field) ? '.000000' : '')}Z`
}
