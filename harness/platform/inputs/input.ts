import type { Declared, SeatrialConfig } from '../config/config.ts'
import { configSource } from '../config/config.ts'
import { isMeasured, SNAPSHOT_FILE } from '../config/snapshot.ts'
import type { SourcePosition } from '../locate.ts'
import type { FieldPath } from '../path.ts'

/** Something a trial needs to know, and how it is known. A verdict that flips within an assumed range is INVALID. */
export interface Input<T> {
  readonly value: T
  /** `given` in `seatrial.yaml` or the manifests, `measured` on a real system, or `assumed` here. */
  readonly origin: 'given' | 'measured' | 'assumed'
  /** What it may be as well, from the most to the least favourable or from low to high; always set where it is assumed. */
  readonly range?: readonly [T, T]
  readonly source?: SourcePosition
  /** Where it comes from, and how to give or measure it. One line. */
  readonly note: string
}

/** A figure from `seatrial.yaml`. */
export function declaredInput(config: SeatrialConfig, path: FieldPath, declared: Declared<number>): Input<number> {
  return {
    value: declared.value,
    origin: declared.measured === undefined ? 'given' : 'measured',
    ...(declared.range ? { range: declared.range } : {}),
    source: configSource(config, path),
    note: declared.measured === undefined ? 'given in seatrial.yaml' : `measured: ${declared.measured}`,
  }
}

/** A value from `seatrial.yaml` that is not a plain figure. */
export const givenInput = <T>(config: SeatrialConfig, path: FieldPath, value: T): Input<T> => ({
  value,
  origin: isMeasured(config, path) ? 'measured' : 'given',
  source: configSource(config, path),
  note: isMeasured(config, path) ? `measured: ${SNAPSHOT_FILE}` : 'given in seatrial.yaml',
})

export const assumed = <T>(value: T, range: readonly [T, T], note: string): Input<T> => ({
  value,
  origin: 'assumed',
  range,
  note,
})
