import type { JournalRecord } from '../../sandbox/journal/record.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { ObjectsView } from '../objects-view.ts'
import { Periods } from './periods.ts'
import { Roles } from './roles.ts'
import type { Decision, Stream } from './stream.ts'
import { streams } from './streams/index.ts'

/** A trial as parity reads it. */
export interface Read {
  /** When each phase of the main path began, but for the judging. */
  readonly phases: ReadonlyMap<string, Us>
  /** Decisions in the order of time, by the stream's name. */
  readonly decisions: ReadonlyMap<string, readonly Decision[]>
  /** When nothing was looked at any more. */
  readonly endedAt: Us
}

/** Reads all decisions since manifests were applied out of a journal's records. Before that a sandbox is being made. */
export function readDecisions(records: readonly JournalRecord[], all: readonly Stream[] = streams): Read {
  const view = new ObjectsView()
  const roles = new Roles(view)
  const periods = new Periods(view)
  const phases = new Map<string, Us>()
  const decisions = new Map<string, Decision[]>(all.map(({ name }) => [name, []]))
  let at: Us = 0
  const readers = all.map(({ name, start }) => {
    const found = decisions.get(name)!
    return start({ view, roles, periods, decide: (what, period) => void found.push({ at, what, period }) })
  })
  for (const record of records) {
    at = record.at
    if (record.type === 'phase' && record.phase === 'judge') break
    if (record.type === 'phase' && !phases.has(record.phase)) phases.set(record.phase, at)
    const change = view.apply(record)
    if (change) roles.see(change)
    if (phases.size > 0) for (const reader of readers) reader(record, change)
  }
  return { phases, decisions, endedAt: at }
}
