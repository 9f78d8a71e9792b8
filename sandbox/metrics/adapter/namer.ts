import type { LabelSelector } from '../../kube/objects.ts'
import type { Labels } from '../querier.ts'
import { expand } from '../scrape/expand.ts'
import { unanchored } from '../tsdb/regexp.ts'
import { AdapterConfigError, type DiscoveryRule } from './config.ts'
import { type GroupResource, resourceFor, textOf } from './group-resource.ts'
import { parseTemplate, type TemplateArgs } from './template.ts'

/** One rule made ready: which series it is about, what they are called in the API, and how they are queried. */
export interface Namer {
  readonly seriesQuery: string
  filter(series: readonly Labels[]): readonly Labels[]
  /** Undefined when the series' name does not match. */
  metricName(series: string): string | undefined
  /** The resources a series is about, by its labels. */
  resourcesOf(series: Labels): readonly GroupResource[]
  /** The label that names objects of a resource. Throws when the rule has none. */
  labelFor(resource: GroupResource): string
  /** The query for some objects of a resource. Throws when it cannot be built. */
  query(
    series: string,
    resource: GroupResource,
    namespace: string,
    metric: LabelSelector | undefined,
    names: readonly string[],
    extraGroupBy?: readonly string[],
  ): string
  /** The query for an external metric. */
  externalQuery(series: string, namespace: string, metric: LabelSelector | undefined): string
}

/** Throws an AdapterConfigError, TemplateError or RegexpError for a rule the adapter would not start with. */
// follows NamersFromConfig of pkg/naming/metric_namer.go
export function namerOf(rule: DiscoveryRule): Namer {
  const template = parseTemplate(rule.metricsQuery)
  const labels = new ResourceLabels(rule.resources)
  const filters = rule.seriesFilters.map(({ is, isNot }) => ({
    regex: unanchored(is ?? isNot!),
    positive: is !== undefined,
  }))
  const matches = unanchored(rule.name.matches ?? '.*')
  if (rule.name.matches) filters.push({ regex: matches, positive: true })
  const as = rule.name.as ?? defaultName(rule)
  const namespaced = rule.resources.namespaced !== false
  const namespace = resourceFor('namespaces')!
  const render = (args: TemplateArgs): string => {
    const query = template(args)
    if (query === '') throw new AdapterConfigError('empty query produced by metrics query template')
    return query
  }
  return {
    seriesQuery: rule.seriesQuery,
    filter: (all) =>
      all.filter((s) => filters.every(({ regex, positive }) => regex.test(s.__name__ ?? '') === positive)),
    metricName: (series) => {
      const match = matches.exec(series)
      return match ? expand(as, match) : undefined
    },
    resourcesOf: (series) => labels.resourcesOf(series),
    labelFor: (resource) => labels.labelFor(resource),
    query(series, resource, inNamespace, metric, names, extraGroupBy = []) {
      const parts = partsOf(metric)
      if (inNamespace !== '') parts.push(equal(labels.labelFor(namespace), inNamespace))
      const own = labels.labelFor(resource)
      const target = names.join('|')
      const valuesByName = Object.fromEntries(parts.map(({ label, values }) => [label, values.join('|')]))
      const matchers = [...parts.map((p) => p.text), `${own}${names.length > 1 ? '=~' : '='}${JSON.stringify(target)}`]
      return render({
        Series: series,
        LabelMatchers: matchers.join(','),
        LabelValuesByName: { ...valuesByName, [own]: target },
        GroupBy: [own, ...extraGroupBy].join(','),
        GroupBySlice: [own, ...extraGroupBy],
      })
    },
    externalQuery(series, inNamespace, metric) {
      const parts = partsOf(metric)
      if (namespaced && inNamespace !== '') parts.push(equal(labels.labelFor(namespace), inNamespace))
      return render({
        Series: series,
        LabelMatchers: parts.map((p) => p.text).join(','),
        LabelValuesByName: Object.fromEntries(parts.map(({ label, values }) => [label, values.join('|')])),
        GroupBy: '',
        GroupBySlice: [],
      })
    },
  }
}

function defaultName({ name, seriesQuery }: DiscoveryRule): string {
  const groups = new RegExp(`${unanchored(name.matches ?? '.*').source}|`).exec('')!.length - 1
  if (groups > 1)
    throw new AdapterConfigError(
      `must specify an 'as' value for name matcher "${name.matches}" associated with series query "${seriesQuery}"`,
    )
  return groups === 0 ? '$0' : '$1'
}

interface Part {
  readonly label: string
  readonly values: readonly string[]
  /** As a matcher: `a="b"`. */
  readonly text: string
}

const equal = (label: string, value: string): Part => ({
  label,
  values: [value],
  text: `${label}=${JSON.stringify(value)}`,
})

/** A metric selector as matchers: equality for `matchLabels`, regexes for `In` and `NotIn`, also of one value. */
// follows processQueryParts, selectMatcher and selectTargetValue of pkg/naming/metrics_query.go
function partsOf(selector: LabelSelector = {}): Part[] {
  const equalities = Object.entries(selector.matchLabels ?? {}).map(([label, value]) => equal(label, value))
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }): Part => {
    if (operator === 'Exists') return { label: key, values: [], text: `${key}!=""` }
    if (operator === 'DoesNotExist') return { label: key, values: [], text: `${key}=""` }
    if (values.length === 0) throw new Error('operator requires values')
    const sorted = [...values].sort()
    return {
      label: key,
      values: sorted,
      text: `${key}${operator === 'NotIn' ? '!~' : '=~'}${JSON.stringify(sorted.join('|'))}`,
    }
  })
  // apimachinery keeps requirements sorted by key
  return [...equalities, ...expressions].sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0))
}

/** Which label stands for which resource. Follows pkg/naming/resource_converter.go and lbl_res.go. */
class ResourceLabels {
  private readonly toResource = new Map<string, GroupResource>()
  private readonly toLabel = new Map<string, string>()
  private readonly template: ((args: TemplateArgs) => string) | undefined
  private readonly extract: RegExp | undefined

  constructor({ template, overrides }: DiscoveryRule['resources']) {
    if (template) {
      this.template = parseTemplate(template)
      const pattern = this.template({ Group: '(?<group>.+?)', Resource: '(?<resource>.+?)' })
      if (!pattern.includes('(?<resource>'))
        throw new AdapterConfigError('must include at least `{{.Resource}}` in the label template')
      this.extract = new RegExp(`^${pattern}$`)
    }
    for (const [label, { group, resource }] of Object.entries(overrides)) {
      const found = resourceFor(resource, group)
      if (!found)
        throw new AdapterConfigError(
          `unable to normalize group-resource {${group ?? ''} ${resource}}: no matches for ${group ?? ''}/, Resource=${resource}`,
        )
      this.toResource.set(label, found)
      this.toLabel.set(textOf(found), label)
    }
  }

  labelFor(resource: GroupResource): string {
    const known = this.toLabel.get(textOf(resource))
    if (known !== undefined) return known
    if (!this.template)
      throw new AdapterConfigError(
        `unable to convert resource ${textOf(resource)} into label: no generic resource label form specified for this metric`,
      )
    return this.template({ Group: resource.group.replace(/[.-]/g, '_'), Resource: resource.singular })
  }

  resourcesOf(series: Labels): GroupResource[] {
    return Object.keys(series).flatMap((label) => {
      const known = this.toResource.get(label)
      if (known) return [known]
      const match = this.extract?.exec(label)
      const found = match && resourceFor(match.groups!.resource!, match.groups!.group)
      return found ? [found] : []
    })
  }
}
