import type * as o from '../../../kube/objects.ts'
import { toSeconds, type Us } from '../../../world/time.ts'
import { KedaError } from '../errors.ts'
import { milliOf } from '../value.ts'
import { CronSchedule } from './cron-schedule.ts'
import { externalTarget } from './external.ts'
import { Metadata } from './metadata.ts'
import { metricNameOf, type Scaler } from './scaler.ts'
import { TRIAL_START, Zone } from './zone.ts'

/** Asks for replicas between two times of the calendar. Throws a KedaError. */
// follows pkg/scalers/cron_scaler.go
export function cronScaler(index: number, trigger: o.ScaleTrigger, clock: { readonly now: Us }): Scaler {
  const targetType = externalTarget(trigger)
  const given = new Metadata(trigger.metadata)
  const [start, end, timezone] = [given.required('start'), given.required('end'), given.required('timezone')]
  const desired = given.number('desiredReplicas', 'int64')
  const window = windowOf({ start, end, timezone, desired }, given)
  given.finish('error parsing cron metadata: ')
  const name = metricNameOf(index, normalized(`cron-${timezone}-${inName(start)}-${inName(end)}`))
  return {
    typeName: 'cronScaler',
    metricSpec: { type: 'External', external: { metric: { name }, target: targetType('1') } },
    *measure() {
      const active = window!(clock.now)
      return { values: [{ metric: name, milli: milliOf(active ? desired : 0) }], active }
    },
  }
}

interface CronMetadata {
  readonly start: string
  readonly end: string
  readonly timezone: string
  readonly desired: number
}

/** Says whether a time is inside: when the end comes before the next start. Undefined when the metadata is wrong. */
function windowOf(
  { start, end, timezone, desired }: CronMetadata,
  given: Metadata,
): ((now: Us) => boolean) | undefined {
  const wrong = (problem: string): undefined => {
    given.problem(problem)
    return undefined
  }
  const [from, until] = [schedule('start', start), schedule('end', end)]
  if (typeof from === 'string') return wrong(from)
  if (typeof until === 'string') return wrong(until)
  if (start === end) return wrong('start and end can not have exactly same time input')
  if (desired === 0) return wrong('no desiredReplicas specified')
  let zone: Zone | undefined
  const next = (which: CronSchedule) => {
    let known = { after: 0, at: Number.NEGATIVE_INFINITY, valid: false }
    return (now: number): number => {
      // the next time stays the next until it has come
      if (!known.valid || now < known.after || now >= known.at)
        known = { after: now, at: which.next(now, zone!) ?? Number.NEGATIVE_INFINITY, valid: true }
      return known.at
    }
  }
  const [nextStart, nextEnd] = [next(from), next(until)]
  return (at) => {
    zone ??= loadedZone(timezone)
    const now = TRIAL_START + toSeconds(at)
    const [startsAt, endsAt] = [nextStart(now), nextEnd(now)]
    return startsAt < endsAt ? now > startsAt && now < endsAt : now > startsAt || now < endsAt
  }
}

function schedule(which: 'start' | 'end', text: string): CronSchedule | string {
  try {
    return new CronSchedule(text)
  } catch (error) {
    return `error parsing ${which} schedule: ${(error as Error).message}`
  }
}

function loadedZone(name: string): Zone {
  try {
    return new Zone(name)
  } catch (error) {
    throw new KedaError(`unable to load timezone: ${(error as Error).message}`)
  }
}

const inName = (text: string): string =>
  text.replaceAll(' ', '').replaceAll('*', 'x').replaceAll('/', 'Sl').replaceAll('?', 'Qm').replaceAll(',', 'Cm')

const normalized = (text: string): string => text.replace(/[/.:%()]/g, '-')
