import { seconds } from '../../../sandbox/world/time.ts'
import type { Read } from '../read.ts'

/** A trial with one stream, `s`; all times in seconds. */
export function readOf(options: {
  readonly phases?: Readonly<Record<string, number>>
  readonly decisions: readonly (readonly [at: number, what: string])[]
  readonly period?: number
  readonly endedAt?: number
}): Read {
  const { phases = { apply: 0 }, decisions, period = 1, endedAt = 1000 } = options
  return {
    phases: new Map(Object.entries(phases).map(([phase, at]) => [phase, seconds(at)])),
    decisions: new Map([
      ['s', decisions.map(([at, what]) => ({ at: seconds(at), what, period: { name: 'look', us: seconds(period) } }))],
    ]),
    endedAt: seconds(endedAt),
  }
}
