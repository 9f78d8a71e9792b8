import { findFlag, setFlag } from './flags.ts'
import { type Candidate, containerPath, type RemedyContext, serverContainer } from './remedy.ts'

/** The flag with another value, or without it; none where it cannot be changed, or stands so. */
export function flagCandidate(
  context: RemedyContext,
  names: readonly string[],
  value: string | undefined,
): Candidate[] {
  const change = setFlag(serverContainer(context), containerPath(context), names, value)
  if (!change) return []
  return [{ says: value === undefined ? `without ${names[0]}` : `${names[0]} ${value}`, changes: [change] }]
}

/** As it is written; undefined where it is not, or stands in a script. */
export function writtenValue(context: RemedyContext, names: readonly string[]): string | undefined {
  const container = serverContainer(context)
  const place = findFlag(container, names)
  if (!place || place.form === 'script') return undefined
  const items = container[place.field]!
  const item = items[place.index]!
  return place.form === 'equals' ? item.slice(item.indexOf('=') + 1) : items[place.index + 1]
}

/** Where the flag stands; the arguments where it is not given. */
export function flagPath(context: RemedyContext, names: readonly string[]): string {
  const container = serverContainer(context)
  const place = findFlag(container, names)
  const path = containerPath(context)
  if (place) return `${path}.${place.field}[${place.index}]`
  return container.args || !container.command ? `${path}.args` : `${path}.command`
}
