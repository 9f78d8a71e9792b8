import type { FieldPath } from '../path.ts'
import type { SeatrialConfig } from './config.ts'

/** Files with what was measured on a cluster, beside `seatrial.yaml`. */
export const SNAPSHOT_FILE = 'seatrial.snapshot.yaml'

const BY_NAME = ['models', 'images', 'workloads', 'prices'] as const
const WHOLE = ['nodes', 'registry', 'slos', 'cluster'] as const

/** A configuration with what a snapshot measured, where it does not say so itself. */
export function withSnapshot(
  config: SeatrialConfig | undefined,
  snapshot: SeatrialConfig | undefined,
): SeatrialConfig | undefined {
  if (!snapshot) return config
  const merged: Record<string, unknown> = { ...config }
  const measured: FieldPath[] = []
  for (const section of WHOLE) {
    if (config?.[section] !== undefined || snapshot[section] === undefined) continue
    merged[section] = snapshot[section]
    measured.push([section])
  }
  for (const section of BY_NAME) {
    if (snapshot[section] === undefined) continue
    const own = config?.[section] as Readonly<Record<string, object>> | undefined
    const entries: Record<string, object> = { ...own }
    for (const [name, values] of Object.entries(snapshot[section] as Record<string, object>)) {
      entries[name] = { ...values, ...own?.[name] }
      if (!own?.[name]) measured.push([section, name])
      else
        for (const field of Object.keys(values))
          if (!Object.hasOwn(own[name], field)) measured.push([section, name, field])
    }
    merged[section] = entries
  }
  return {
    ...(merged as unknown as SeatrialConfig),
    parsed: config?.parsed ?? snapshot.parsed,
    snapshot: snapshot.parsed,
    measured: measured.map((path) => JSON.stringify(path)),
  }
}

/** Whether a setting comes from the snapshot. */
export const isMeasured = ({ measured = [] }: SeatrialConfig, path: FieldPath): boolean =>
  measured.length > 0 && path.some((_, i) => measured.includes(JSON.stringify(path.slice(0, i + 1))))

/** The first name a section knows; what is given goes before what was measured, by whatever name. */
export function nameIn(
  config: SeatrialConfig | undefined,
  section: 'models' | 'workloads',
  names: readonly string[],
): string | undefined {
  const known = names.filter((name) => Object.hasOwn(config?.[section] ?? {}, name))
  return known.find((name) => !isMeasured(config!, [section, name])) ?? known[0]
}
