import type { JournalRecord } from '../../sandbox/journal/record.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { Change, ObjectsView } from '../objects-view.ts'
import type { Periods } from './periods.ts'
import type { Roles } from './roles.ts'

/** How often whoever decides looks: the same decision may come that much earlier or later without meaning anything. */
export interface Period {
  /** `HPA sync`, `readiness probe`. */
  readonly name: string
  readonly us: Us
}

/** Something the platform decided. */
export interface Decision {
  readonly at: Us
  /** In words without anything random in them: equal words are the same decision. */
  readonly what: string
  readonly period: Period
}

/** What a stream's reader knows of the trial it reads. */
export interface Reading {
  readonly view: ObjectsView
  readonly roles: Roles
  readonly periods: Periods
  /** Notes a decision at the time of the record being read. */
  decide(what: string, period: Period): void
}

/** One sort of decision, read out of a trial's journal. */
export interface Stream {
  readonly name: string
  /** What is compared, for people. */
  readonly compares: string
  /** Gives what is called with every record since manifests were applied, and with what it changed. */
  start(reading: Reading): (record: JournalRecord, change: Change | undefined) => void
}

export const stream = (one: Stream): Stream => one
