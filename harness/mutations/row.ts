import type { Edit, Place } from './edit.ts'
import { put, REMOVED } from './edit.ts'
import type { Facts } from './facts.ts'

/** What must follow. `untriable`: nobody can be served or told apart, so that only a PASS would be wrong. */
export type Expected = 'PASS' | 'FAIL' | 'untriable'

/** A change, and its name within the row. */
export interface Change {
  readonly to: string
  readonly edit: Edit
}

/** One line of the grammar: a field, what it is set to, and the verdict that must follow. */
export interface Row {
  readonly what: string
  readonly changes: readonly Change[]
  /** Scenarios it is tried in, on their own good platforms; `every`: all there are. */
  readonly in: readonly string[] | 'every'
  readonly except?: readonly string[]
  /** Good platforms it is made on; all that the place is found on where left out. */
  readonly on?: readonly string[]
  /** Good platforms it is not made on. */
  readonly notOn?: readonly string[]
  /** The verdict, or the rule that gives it from plain figures of the platform as changed; undefined: too near to say, left out. */
  readonly expected: Expected | ((after: Facts, scenario: string) => Expected | undefined)
  readonly why: string
}

/** Changes that set a field to each of the values. */
export const set = (place: Place, values: readonly unknown[]): Change[] =>
  values.map((value) => ({ to: nameOf(value), edit: put(place, value) }))

/** Changes of a kind of their own. */
export const each = <V>(values: readonly V[], edit: (value: V) => Edit): Change[] =>
  values.map((value) => ({ to: nameOf(value), edit: edit(value) }))

/** A change that has no value. */
export const just = (to: string, edit: Edit): Change[] => [{ to, edit }]

function nameOf(value: unknown): string {
  if (value === REMOVED) return 'removed'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
