import type { Container } from '../../sandbox/kube/objects.ts'
import type { FieldChange } from './remedy.ts'

/** Where a flag stands in a container: an item of `command` or `args`, alone, with `=value`, or inside a shell script. */
export interface FlagPlace {
  readonly field: 'command' | 'args'
  readonly index: number
  /** `alone`: the value is the next item. */
  readonly form: 'equals' | 'alone' | 'script'
}

/** Finds a flag by any of its names, `_` and `-` alike. The last one counts, as for argparse. */
export function findFlag(container: Container, names: readonly string[]): FlagPlace | undefined {
  const wanted = names.map(normal)
  let found: FlagPlace | undefined
  for (const field of ['command', 'args'] as const) {
    for (const [index, item] of (container[field] ?? []).entries()) {
      const [name] = item.split('=', 1)
      if (/\s/.test(item.trim())) {
        if (scriptPattern(names).test(item)) found = { field, index, form: 'script' }
      } else if (wanted.includes(normal(name!))) found = { field, index, form: item.includes('=') ? 'equals' : 'alone' }
    }
  }
  return found
}

/** The change that gives a flag a value, or takes it away with `undefined`. A flag that is not there is added to the end. */
export function setFlag(
  container: Container,
  path: string,
  names: readonly string[],
  value: string | undefined,
): FieldChange | undefined {
  const place = findFlag(container, names)
  const name = names[0]!
  if (!place) {
    if (value === undefined) return undefined
    const field = container.args?.length || !container.command?.length ? 'args' : 'command'
    const items = container[field] ?? []
    const last = items.at(-1)
    if (last !== undefined && /\s/.test(last.trim()))
      return { path: `${path}.${field}`, value: [...items.slice(0, -1), `${last.trimEnd()} ${name} ${value}`] }
    return { path: `${path}.${field}`, value: [...items, `${name}=${value}`] }
  }
  const items = [...container[place.field]!]
  const { index, form } = place
  if (form === 'script') {
    items[index] = items[index]!.replace(scriptPattern(names), value === undefined ? ' ' : ` ${name} ${value}`)
  } else if (form === 'equals') {
    if (value === undefined) items.splice(index, 1)
    else items[index] = `${items[index]!.split('=', 1)[0]}=${value}`
  } else if (value === undefined) {
    const next = items[index + 1]
    items.splice(index, next !== undefined && !next.startsWith('-') ? 2 : 1)
  } else items[index + 1] = value
  return { path: `${path}.${place.field}`, value: items }
}

const normal = (name: string): string => name.replaceAll('_', '-')

/** The flag and its value within a shell script. */
const scriptPattern = (names: readonly string[]): RegExp => {
  const any = names.map((name) => name.replace(/[-_]/g, '[-_]')).join('|')
  return new RegExp(`\\s(?:${any})(?:[=\\s]+(?!-)[^\\s\\\\]+)?(?=\\s|$)`)
}
