import type { AlertRecord, FaultRecord, JournalRecord, RequestRecord } from '../../sandbox/journal/record.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { Left, SurveyedAlert } from './survey.ts'

/** What a platform's alerts told of a failure, beside what its users saw of it. */
export interface AlertsSeen {
  /** When the first fault or change began. */
  readonly faultAt: Us
  /** Requests that were sent and not answered whole from then on; undefined: there were none. */
  readonly harm?: Harm
  /** In the order of time; those that fired when the fault began too, and are not told apart from it. */
  readonly fired: readonly FiredAlert[]
  /** Evaluated, and never fired. */
  readonly silent: readonly SilentAlert[]
  readonly left: readonly (Left & { readonly alert: string })[]
}

export interface Harm {
  readonly firstAt: Us
  readonly lastAt: Us
  readonly failed: number
  readonly of: number
}

export interface FiredAlert {
  readonly alert: string
  readonly severity?: string
  readonly firedAt: Us
  /** Undefined: it fired when the trial ended. */
  readonly endedAt?: Us
  /** It fired before the first fault began. */
  readonly before?: true
  /** The fault before it, where there were several. */
  readonly fault?: { readonly at: Us; readonly what: string }
}

export interface SilentAlert {
  readonly alert: string
  readonly forUs: Us
  /** The longest time its expression held, after the fault too; undefined: it never did. */
  readonly heldUs?: Us
  /** What Prometheus says of its expression where it cannot be evaluated. */
  readonly error?: string
}

/** Reads a trial's journal. Undefined without alerts, or where nothing was done to the platform. */
export function alertsSeen(
  records: readonly JournalRecord[],
  { alerts, target }: { readonly alerts: readonly SurveyedAlert[]; readonly target: string },
): AlertsSeen | undefined {
  const faults = records.filter((record) => record.type === 'fault' && record.step === 'inject') as FaultRecord[]
  const [fault] = faults
  if (!fault || alerts.length === 0) return undefined
  const told = records.filter((record) => record.type === 'alert')
  const endAt = records.at(-1)!.at
  const fired = firedOf(told, faults, alerts)
  const loud = new Set(fired.map(({ alert }) => alert))
  const evaluated = alerts.filter(({ left }) => left === undefined)
  const harm = harmOf(records, fault.at, target)
  return {
    faultAt: fault.at,
    ...(harm ? { harm } : {}),
    fired,
    silent: [...new Map(evaluated.map((one) => [one.alert, one])).values()]
      .filter(({ alert }) => !loud.has(alert))
      .map((one) => silentOf(one, told, fault.at, endAt)),
    left: alerts.flatMap(({ alert, left }) => (left === undefined ? [] : [{ alert, ...left }])),
  }
}

function harmOf(records: readonly JournalRecord[], since: Us, target: string): Harm | undefined {
  const sent = records.filter(
    (record): record is RequestRecord => record.type === 'request' && record.target === target,
  )
  const after = sent.filter(({ at }) => at >= since)
  const bad = after.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'unfinished')
  if (bad.length === 0) return undefined
  return { firstAt: bad[0]!.at, lastAt: bad.at(-1)!.at, failed: bad.length, of: after.length }
}

/** Series of one alert are told as one: it fires as long as one of them does. */
function firedOf(
  told: readonly AlertRecord[],
  faults: readonly FaultRecord[],
  alerts: readonly SurveyedAlert[],
): FiredAlert[] {
  const faultAt = faults[0]!.at
  const firing = new Map<string, { firedAt: Us; keys: Set<string> }>()
  const fired: FiredAlert[] = []
  const tell = (alert: string, firedAt: Us, endedAt?: Us) => {
    const severity = alerts.find((one) => one.alert === alert)?.severity
    if (endedAt !== undefined && endedAt < faultAt) return
    const last = faults.findLast(({ at }) => at <= firedAt)
    fired.push({
      alert,
      ...(severity ? { severity } : {}),
      firedAt,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(firedAt < faultAt ? { before: true as const } : {}),
      ...(faults.length > 1 && last ? { fault: { at: last.at, what: last.detail ?? last.fault } } : {}),
    })
  }
  for (const { alert, labels, state, at } of told) {
    const key = JSON.stringify(labels)
    const now = firing.get(alert)
    if (state === 'firing') {
      if (now) now.keys.add(key)
      else firing.set(alert, { firedAt: at, keys: new Set([key]) })
    } else if (now?.keys.delete(key) && now.keys.size === 0) {
      tell(alert, now.firedAt, at)
      firing.delete(alert)
    }
  }
  for (const [alert, { firedAt }] of firing) tell(alert, firedAt)
  return fired.sort((a, b) => a.firedAt - b.firedAt)
}

function silentOf({ alert, forUs }: SurveyedAlert, told: readonly AlertRecord[], faultAt: Us, endAt: Us): SilentAlert {
  const own = told.filter((record) => record.alert === alert)
  const error = own.find(({ state }) => state === 'failed')?.error
  const held = own.flatMap(({ state, activeAt, labels }, i) => {
    if (state !== 'pending') return []
    const key = JSON.stringify(labels)
    const end = own.slice(i + 1).find((next) => next.state === 'inactive' && JSON.stringify(next.labels) === key)
    const until = end?.at ?? endAt
    return until > faultAt ? [until - activeAt] : []
  })
  return {
    alert,
    forUs,
    ...(held.length > 0 ? { heldUs: Math.max(...held) } : {}),
    ...(error === undefined ? {} : { error }),
  }
}
