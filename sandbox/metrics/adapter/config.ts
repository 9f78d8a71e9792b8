import { parseDocument } from 'yaml'

/** One of `rules` or `externalRules`. */
export interface DiscoveryRule {
  readonly seriesQuery: string
  readonly seriesFilters: readonly { readonly is?: string; readonly isNot?: string }[]
  readonly resources: {
    readonly template?: string
    readonly overrides: Readonly<Record<string, { readonly group?: string; readonly resource: string }>>
    readonly namespaced?: boolean
  }
  readonly name: { readonly matches?: string; readonly as?: string }
  readonly metricsQuery: string
}

export interface ResourceRule {
  readonly containerQuery: string
  readonly nodeQuery: string
  readonly resources: DiscoveryRule['resources']
  readonly containerLabel: string
}

/** prometheus-adapter's `config.yaml`. */
export interface AdapterConfig {
  readonly rules: readonly DiscoveryRule[]
  readonly externalRules: readonly DiscoveryRule[]
  readonly resourceRules?: { readonly cpu: ResourceRule; readonly memory: ResourceRule; readonly window: string }
}

/** A configuration the adapter would not start with. */
export class AdapterConfigError extends Error {
  override readonly name = 'AdapterConfigError'
  readonly code = 'adapter-config'
}

type Yaml = Readonly<Record<string, unknown>>
const mapOf = (value: unknown): Yaml =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Yaml) : {}
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const textOf = (value: unknown): string => (value === undefined || value === null ? '' : String(value))

/** Reads the text of a `config.yaml`. Throws an AdapterConfigError. */
// follows pkg/config/config.go and loader.go of kubernetes-sigs/prometheus-adapter
export function parseAdapterConfig(text: string): AdapterConfig {
  const document = parseDocument(text)
  if (document.errors.length > 0)
    throw new AdapterConfigError(`unable to load metrics discovery configuration: ${document.errors[0]!.message}`)
  return adapterConfig(document.toJS({ maxAliasCount: 100 }))
}

/** The same from a value: the `rules` of the Helm chart are in another shape, see `helmRules`. */
export function adapterConfig(value: unknown): AdapterConfig {
  const root = mapOf(value)
  const { cpu, memory, window } = mapOf(root.resourceRules)
  return {
    rules: listOf(root.rules).map((rule) => discoveryRule(mapOf(rule))),
    externalRules: listOf(root.externalRules).map((rule) => discoveryRule(mapOf(rule))),
    ...(root.resourceRules
      ? {
          resourceRules: { cpu: resourceRule(mapOf(cpu)), memory: resourceRule(mapOf(memory)), window: textOf(window) },
        }
      : {}),
  }
}

/** `rules:` of the Helm chart's values, as its template writes them into config.yaml. The chart's default rules are left out. */
export function helmRules(value: unknown): AdapterConfig {
  const { custom, external, resource } = mapOf(value)
  return adapterConfig({ rules: custom, externalRules: external, resourceRules: resource })
}

function discoveryRule(rule: Yaml): DiscoveryRule {
  const { matches, as } = mapOf(rule.name)
  return {
    seriesQuery: textOf(rule.seriesQuery),
    seriesFilters: listOf(rule.seriesFilters).map((filter) => {
      const { is, isNot } = mapOf(filter)
      if (is && isNot)
        throw new AdapterConfigError(
          `cannot have both an \`is\` ("${is}") and \`isNot\` ("${isNot}") expression in a single filter`,
        )
      if (!is && !isNot) throw new AdapterConfigError('must have either an `is` or `isNot` expression in a filter')
      return is ? { is: textOf(is) } : { isNot: textOf(isNot) }
    }),
    resources: resourcesOf(mapOf(rule.resources)),
    name: { ...(matches ? { matches: textOf(matches) } : {}), ...(as ? { as: textOf(as) } : {}) },
    metricsQuery: textOf(rule.metricsQuery),
  }
}

const resourceRule = (rule: Yaml): ResourceRule => ({
  containerQuery: textOf(rule.containerQuery),
  nodeQuery: textOf(rule.nodeQuery),
  resources: resourcesOf(mapOf(rule.resources)),
  containerLabel: textOf(rule.containerLabel),
})

function resourcesOf({ template, overrides, namespaced }: Yaml): DiscoveryRule['resources'] {
  return {
    ...(template ? { template: textOf(template) } : {}),
    overrides: Object.fromEntries(
      Object.entries(mapOf(overrides)).map(([label, to]) => {
        const { group, resource } = mapOf(to)
        return [label, { resource: textOf(resource), ...(group ? { group: textOf(group) } : {}) }]
      }),
    ),
    ...(typeof namespaced === 'boolean' ? { namespaced } : {}),
  }
}

/** `--metrics-relist-interval` and `--metrics-max-age` of an adapter's container, as text; undefined where they are not given. */
export function adapterArguments(args: readonly string[]): {
  relistInterval?: string
  maxAge?: string
  config?: string
} {
  const of = (name: string) => {
    const i = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))
    if (i < 0) return undefined
    return args[i] === `--${name}` ? args[i + 1] : args[i]!.slice(name.length + 3)
  }
  const [relistInterval, maxAge, config] = [of('metrics-relist-interval'), of('metrics-max-age'), of('config')]
  return { ...(relistInterval ? { relistInterval } : {}), ...(maxAge ? { maxAge } : {}), ...(config ? { config } : {}) }
}
