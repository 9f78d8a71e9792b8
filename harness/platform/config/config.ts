import type { z } from 'zod'
import { locate, type SourcePosition } from '../locate.ts'
import type { FieldPath } from '../path.ts'
import type { ParsedValue } from '../value.ts'
import type { configSchema } from './schema.ts'
import { isMeasured } from './snapshot.ts'

export type { Declared } from './figures.ts'

export type ConfigValues = z.output<typeof configSchema>
export type NodeGroupConfig = NonNullable<ConfigValues['nodes']>[number]
export type WorkloadConfig = NonNullable<ConfigValues['workloads']>[string]
export type ModelConfig = NonNullable<ConfigValues['models']>[string]

/** `seatrial.yaml`, read: durations in µs, sizes in bytes, rates per second; and the text it came from. */
export interface SeatrialConfig extends ConfigValues {
  readonly parsed: ParsedValue
  /** The text of the snapshot whose values are among these. */
  readonly snapshot?: ParsedValue
  /** Paths of what comes from it, as JSON. */
  readonly measured?: readonly string[]
}

/** Where a setting stands: `configSource(config, ['nodes', 0, 'count'])`. */
export const configSource = (config: SeatrialConfig, path: FieldPath): SourcePosition =>
  locate(config.snapshot && isMeasured(config, path) ? config.snapshot : config.parsed, path)
