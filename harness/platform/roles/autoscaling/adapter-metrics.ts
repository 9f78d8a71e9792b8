import {
  type AdapterConfig,
  AdapterConfigError,
  type DiscoveryRule,
} from '../../../../sandbox/metrics/adapter/config.ts'
import { type Namer, namerOf } from '../../../../sandbox/metrics/adapter/namer.ts'
import { parseTemplate, TemplateError } from '../../../../sandbox/metrics/adapter/template.ts'
import { QueryError } from '../../../../sandbox/metrics/querier.ts'
import { RegexpError } from '../../../../sandbox/metrics/tsdb/regexp.ts'
import { namesIn, type SelectedName } from './query-names.ts'

/** The series behind a metric of the custom or external metrics API. */
export interface AdapterMetric {
  readonly rule: DiscoveryRule
  /** Names the rule lists series by and that it gives the metric's name to. */
  readonly series: readonly string[]
  /** Names its query selects by, those of the series among them. */
  readonly queried: readonly SelectedName[]
}

/**
 * The rules of an adapter that give a metric its name, with the series they are about, out of those that may exist and those a rule
 * spells out.
 */
export function adapterMetric(
  rules: readonly DiscoveryRule[],
  metric: string,
  mayExist: Iterable<string>,
): AdapterMetric[] {
  const all = [...mayExist]
  return rules.flatMap((rule) => {
    const namer = tryNamer(rule)
    if (!namer) return []
    const listed = listedBy(rule)
    const spelled = listed.flatMap((name) => (name.kind === 'exact' ? [name.name] : []))
    const patterns = listed.flatMap((name) => (name.kind === 'pattern' ? [name] : []))
    const candidates = new Set([...spelled, ...all.filter((name) => patterns.some((one) => one.matches(name)))])
    const series = namer
      .filter([...candidates].map((name) => ({ __name__: name })))
      .map((labels) => labels.__name__!)
      .filter((name) => namer.metricName(name) === metric)
    return series.length > 0 ? [{ rule, series, queried: series.flatMap((name) => queriedBy(rule, name) ?? []) }] : []
  })
}

/** Every name the rules of an adapter ask for; undefined: it cannot be told, so all. */
export function namesOfAdapter({
  rules,
  externalRules,
  resourceRules,
}: AdapterConfig): ReadonlySet<string> | undefined {
  const found = new Set<string>()
  for (const rule of [...rules, ...externalRules])
    for (const listed of listedBy(rule)) {
      if (listed.kind === 'pattern') return undefined
      found.add(listed.name)
      for (const name of queriedBy(rule, listed.name) ?? [{ kind: 'pattern' }]) {
        if (name.kind === 'pattern') return undefined
        found.add(name.name)
      }
    }
  return resourceRules ? undefined : found
}

function listedBy({ seriesQuery }: DiscoveryRule): SelectedName[] {
  try {
    return namesIn(seriesQuery)
  } catch (error) {
    if (error instanceof QueryError) return []
    throw error
  }
}

/** Undefined when the query cannot be read. */
function queriedBy({ metricsQuery }: DiscoveryRule, series: string): SelectedName[] | undefined {
  const filled = { Series: series, LabelMatchers: 'x="y"', LabelValuesByName: {}, GroupBy: 'x', GroupBySlice: ['x'] }
  try {
    return namesIn(parseTemplate(metricsQuery)(filled))
  } catch (error) {
    if (error instanceof QueryError || error instanceof TemplateError) return undefined
    throw error
  }
}

/** A rule the adapter would not start with has no metrics. */
function tryNamer(rule: DiscoveryRule): Namer | undefined {
  try {
    return namerOf(rule)
  } catch (error) {
    if (error instanceof AdapterConfigError || error instanceof TemplateError || error instanceof RegexpError)
      return undefined
    throw error
  }
}
