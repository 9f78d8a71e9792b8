import type { Us } from '../../../sandbox/world/time.ts'
import type { Slos } from '../../slo/objective.ts'
import type { PreparedRequest, SendOptions } from '../http/sender.ts'
import { type ObjectiveRate, objectiveRates, type Thresholds, thresholdsOf } from './thresholds.ts'

/** A request of the schedule, as far as k6 needs it. */
export interface Slot {
  /** From the load's start. */
  readonly atUs: Us
  /** From `atUs`: then the client hangs up. */
  readonly timeoutUs: Us
  /** JSON. */
  readonly body: string
}

/** What `schedule.js` sends. JSON. */
export interface K6Plan {
  readonly url: string
  readonly keepAlive: boolean
  readonly virtualUsers: number
  /** As k6 writes durations; longer than all of it takes. */
  readonly maxDuration: string
  readonly thresholds: Thresholds
  readonly objectives: readonly ObjectiveRate[]
  readonly judgedFromUs: Us
  readonly slots: readonly Slot[]
}

export interface PlanOptions extends Pick<SendOptions, 'target' | 'keepAlive' | 'maxOpen'> {
  readonly requests: readonly PreparedRequest[]
  readonly slos: Slos
  readonly judgedFromUs?: Us
}

/** A schedule for k6. Throws a RangeError when it is empty: k6 would judge nothing, and pass. */
export function k6Plan({ target, keepAlive, maxOpen, requests, slos, judgedFromUs = 0 }: PlanOptions): K6Plan {
  if (requests.length === 0) throw new RangeError('a plan without requests')
  const slots = requests.map(({ planned, body }) => ({ atUs: planned.at, timeoutUs: planned.timeoutUs, body }))
  const objectives = objectiveRates(slos)
  const endsAt = slots.reduce((latest, { atUs, timeoutUs }) => Math.max(latest, atUs + timeoutUs), 0)
  return {
    url: target.url.href,
    keepAlive,
    virtualUsers: Math.min(slots.length, maxOpen, virtualUsersFor(slots)),
    maxDuration: `${Math.ceil(endsAt / 1e6) + START_S}s`,
    thresholds: thresholdsOf(objectives),
    objectives,
    judgedFromUs,
    slots,
  }
}

/** For the start of many virtual users, and what a starved machine is late. */
const START_S = 60

/** Answers take less than this, or the client does not wait so long. */
const ANSWERED_WITHIN_US: Us = 30e6
const SPARE = 1.2
/** Each is a JavaScript runtime of its own: 2,500 take 0.5 GB and a second or two to start. */
const MOST = 3000

/** Requests that may be under way at once, with some to spare. Where they are too few, the schedule delay says it. */
export function virtualUsersFor(slots: readonly Pick<Slot, 'atUs' | 'timeoutUs'>[]): number {
  let first = 0
  let most = 0
  slots.forEach(({ atUs, timeoutUs }, last) => {
    while (slots[first]!.atUs <= atUs - Math.min(timeoutUs, ANSWERED_WITHIN_US)) first++
    most = Math.max(most, last - first + 1)
  })
  return Math.min(MOST, Math.ceil(most * SPARE) + 1)
}
