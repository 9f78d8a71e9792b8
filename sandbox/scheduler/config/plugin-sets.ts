import type { PluginSet, PluginSets } from './schema.ts'

/** A plugin of a profile and what it does there. */
export interface PluginUse {
  readonly name: string
  /** Of its score among the others. */
  readonly weight: number
  readonly filters: boolean
  readonly scores: boolean
}

/** Upstream's default profile, in its order. Follows pkg/scheduler/apis/config/v1/default_plugins.go (1.36). */
const DEFAULTS: readonly Enabled[] = [
  { name: 'SchedulingGates' },
  { name: 'PrioritySort' },
  { name: 'NodeUnschedulable' },
  { name: 'NodeName' },
  { name: 'TaintToleration', weight: 3 },
  { name: 'NodeAffinity', weight: 2 },
  { name: 'NodePorts' },
  { name: 'NodeResourcesFit', weight: 1 },
  { name: 'VolumeRestrictions' },
  { name: 'NodeVolumeLimits' },
  { name: 'VolumeBinding' },
  { name: 'VolumeZone' },
  { name: 'PodTopologySpread', weight: 2 },
  { name: 'InterPodAffinity', weight: 2 },
  { name: 'DynamicResources', weight: 2 },
  { name: 'DefaultPreemption' },
  { name: 'NodeResourcesBalancedAllocation', weight: 1 },
  { name: 'ImageLocality', weight: 1 },
  { name: 'DefaultBinder' },
  { name: 'NodeDeclaredFeatures' },
  { name: 'GangScheduling' },
]

interface Enabled {
  readonly name: string
  readonly weight?: number | undefined
}

/** What of the default plugins is modelled, and at which points it acts. */
const FILTERS: ReadonlySet<string> = new Set([
  ...['NodeUnschedulable', 'NodeName', 'TaintToleration', 'NodeAffinity', 'NodePorts', 'NodeResourcesFit'],
  ...['VolumeRestrictions', 'NodeVolumeLimits', 'VolumeBinding', 'VolumeZone'],
  ...['PodTopologySpread', 'InterPodAffinity'],
])
const SCORES: ReadonlySet<string> = new Set([
  ...['TaintToleration', 'NodeAffinity', 'NodeResourcesFit', 'PodTopologySpread', 'InterPodAffinity'],
  ...['NodeResourcesBalancedAllocation', 'ImageLocality'],
])

/** Points at which a profile may differ from the default. */
const MODELLED: readonly string[] = ['multiPoint', 'preFilter', 'filter', 'postFilter', 'preScore', 'score']

const KNOWN: ReadonlySet<string> = new Set(DEFAULTS.map(({ name }) => name))

/**
 * Which plugins filter and score in a profile, and whether it preempts. Adds to `problems` what is not modelled.
 * Follows mergePluginSet in apis/config/v1/default_plugins.go and expandMultiPointPlugins in framework/runtime/framework.go.
 */
export function usedPlugins(
  sets: PluginSets,
  path: string,
  problems: string[],
): { plugins: readonly PluginUse[]; preempts: boolean } {
  for (const [point, set] of Object.entries(sets)) if (set) check(point, set, `${path}.${point}`, problems)
  const all = merged(sets['multiPoint'] ?? {})
  const filters = at(sets['filter'], all, FILTERS)
  const scores = at(sets['score'], all, SCORES)
  const weights = new Map(scores.map(({ name, weight }) => [name, weight || 1]))
  const filtering = new Set(filters.map(({ name }) => name))
  const silenced = new Set((sets['preScore']?.disabled ?? []).map(({ name }) => name))
  if (silenced.size > 0)
    problems.push(`${path}.preScore.disabled: not modelled apart from score. Disable the score instead`)
  if (sets['preFilter']?.disabled?.length)
    problems.push(`${path}.preFilter.disabled: not modelled apart from filter. Disable the filter instead`)
  const names = [...filters.map(({ name }) => name), ...scores.map(({ name }) => name).filter((n) => !filtering.has(n))]
  const plugins = names.map((name) => ({
    name,
    weight: weights.get(name) ?? 1,
    filters: filtering.has(name),
    scores: weights.has(name),
  }))
  return { plugins, preempts: at(sets['postFilter'], all, new Set(['DefaultPreemption'])).length > 0 }
}

function check(point: string, { enabled = [], disabled = [] }: PluginSet, path: string, problems: string[]): void {
  if (!MODELLED.includes(point) && enabled.length + disabled.length > 0)
    problems.push(`${path}: this extension point is not modelled; it must stay as it is by default`)
  for (const [list, plugins] of Object.entries({ enabled, disabled }))
    for (const [i, { name }] of plugins.entries())
      if (!KNOWN.has(name) && !(list === 'disabled' && name === '*'))
        problems.push(`${path}.${list}[${i}]: the plugin ${name} is not one of kube-scheduler's own`)
}

/** The default plugins with changes: what is disabled goes, what is given again stays in its place. */
function merged({ enabled = [], disabled = [] }: PluginSet): readonly Enabled[] {
  const gone = new Set(disabled.map(({ name }) => name))
  const replaced = new Set<string>()
  const kept = gone.has('*')
    ? []
    : DEFAULTS.filter(({ name }) => !gone.has(name)).map((plugin) => {
        const other = enabled.find(({ name }) => name === plugin.name)
        if (other) replaced.add(plugin.name)
        return other ?? plugin
      })
  return [...kept, ...enabled.filter(({ name }) => !replaced.has(name))]
}

/** The plugins at one point: those set for it that stand for one of all, then the others of all, then the rest set for it. */
function at(set: PluginSet | undefined, all: readonly Enabled[], able: ReadonlySet<string>): readonly Enabled[] {
  const { enabled = [], disabled = [] } = set ?? {}
  const gone = new Set(disabled.map(({ name }) => name))
  const own = enabled.filter(({ name }) => able.has(name))
  if (gone.has('*')) return own
  const general = all.filter(({ name }) => able.has(name) && !gone.has(name))
  const overrides = own.filter(({ name }) => general.some((plugin) => plugin.name === name))
  return [
    ...overrides,
    ...general.filter(({ name }) => !own.some((plugin) => plugin.name === name)),
    ...own.filter((plugin) => !overrides.includes(plugin)),
  ]
}
