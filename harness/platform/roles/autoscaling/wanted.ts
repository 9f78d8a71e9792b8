import type { AdapterConfig } from '../../../../sandbox/metrics/adapter/config.ts'
import { QueryError } from '../../../../sandbox/metrics/querier.ts'
import type { RuleGroup } from '../../../../sandbox/metrics/rules/rule.ts'
import type { Platform } from '../../platform.ts'
import { namesOfAdapter } from './adapter-metrics.ts'
import { namesIn } from './query-names.ts'
import { scalingIn } from './scaling.ts'

/**
 * Names of series that autoscalers ask for, as samples are called (`x_bucket`), with those the given rules need; `all` where a query
 * selects by a pattern. The adapter is asked by name too, so all its rules count.
 */
export function wantedBy(
  platform: Platform,
  adapter: AdapterConfig | undefined,
  rules: readonly RuleGroup[] = [],
): 'all' | ReadonlySet<string> {
  const wanted = new Set<string>()
  const take = (query: string): boolean => {
    const names = readable(query)
    for (const name of names) if (name.kind === 'exact') wanted.add(name.name)
    return names.every(({ kind }) => kind === 'exact')
  }
  for (const object of platform.objects)
    for (const signal of scalingIn(object)?.signals ?? [])
      if (signal.kind === 'prometheus' && !take(signal.query)) return 'all'
  if (adapter) {
    const names = namesOfAdapter(adapter)
    if (!names) return 'all'
    for (const name of names) wanted.add(name)
  }
  for (const { rules: some } of rules) for (const { expr } of some) if (!take(expr)) return 'all'
  return wanted
}

/** Names of series that rules ask for; `all` where one selects by a pattern. */
export function wantedByRules(
  groups: readonly { readonly rules: readonly { readonly expr: string }[] }[],
): 'all' | ReadonlySet<string> {
  const names = groups.flatMap(({ rules }) => rules.flatMap(({ expr }) => readable(expr)))
  return names.every(({ kind }) => kind === 'exact')
    ? new Set(names.flatMap((name) => (name.kind === 'exact' ? [name.name] : [])))
    : 'all'
}

/** A query that cannot be read selects nothing: whoever asks it gets an error. */
function readable(query: string) {
  try {
    return namesIn(query)
  } catch (error) {
    if (error instanceof QueryError) return []
    throw error
  }
}
