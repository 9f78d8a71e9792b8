import type { Affinity, KubeObject, Node, NodeSelectorTerm, Pod } from '../../../kube/objects.ts'
import { nodeSelector, nodeSelectorTerm, selectorFromSet } from '../../../kube/selectors.ts'
import { Action } from '../events.ts'
import { defaultNormalize, type Plugin, PluginError, type PreFiltered, plugin } from '../plugin.ts'
import { factsOf } from '../pod-info.ts'
import { unresolvable } from '../status.ts'
import { aggregated, unsoundTerms } from './unsound-terms.ts'

const NAME = 'NodeAffinity'
const REJECTED = unresolvable(NAME, "node(s) didn't match Pod's node affinity/selector")
const CONFLICT = unresolvable(NAME, 'pod affinity terms conflict')

type Preference = { weight: number; matches: (node: Node) => boolean }

/** Node selector, required and preferred node affinity. Follows pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go. */
export const nodeAffinity = plugin<undefined, readonly Preference[]>({
  name: NAME,
  nodeLocal: true,
  weight: 2,
  preFilter({ pod, facts }) {
    if (!facts.requiredNode) return { skip: true }
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    return namedNodes(required?.nodeSelectorTerms ?? [])
  },
  filter: (_, { facts }, { node }) => (facts.requiredNode && !facts.requiredNode(node!) ? REJECTED : undefined),
  preScore({ pod }) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution
    const unsound = unsoundTerms((preferred ?? []).map(({ preference }) => preference))
    if (unsound.length > 0) throw new PluginError(`running PreScore plugin "${NAME}": ${aggregated(unsound)}`)
    return preferred?.map(preferenceOf)
  },
  score: (preferences, _, { node }) =>
    preferences.reduce((sum, { weight, matches }) => (matches(node!) ? sum + weight : sum), 0),
  normalize: (scores) => defaultNormalize(scores, false),
  events: [{ resource: 'Node', actions: Action.Add | Action.UpdateNodeLabel, hint: nowMatches }],
})

const ENFORCED = unresolvable(NAME, "node(s) didn't match scheduler-enforced node affinity")

/** The plugin with an affinity that every pod of a profile has besides its own. */
export function nodeAffinityWith(added: NonNullable<Affinity['nodeAffinity']>): Plugin {
  const terms = added.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const allowed = terms ? nodeSelector(terms) : undefined
  const wanted = (added.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(preferenceOf)
  const own = nodeAffinity as Plugin<undefined, readonly Preference[]>
  return plugin<undefined, readonly Preference[]>({
    ...own,
    preFilter(pod, snapshot) {
      const found = own.preFilter!(pod, snapshot)
      return found.skip && allowed ? {} : found
    },
    filter: (state, pod, node) => (allowed && !allowed(node.node!) ? ENFORCED : own.filter!(state, pod, node)),
    preScore(pod, feasible, snapshot) {
      const preferred = own.preScore!(pod, feasible, snapshot)
      return preferred || wanted.length > 0 ? [...wanted, ...(preferred ?? [])] : undefined
    },
    events: [
      {
        resource: 'Node',
        actions: Action.Add | Action.UpdateNodeLabel,
        hint: (pod, before, after) => (!allowed || allowed(after as Node)) && nowMatches(pod, before, after),
      },
    ],
  })
}

const preferenceOf = ({ weight, preference }: { weight: number; preference: NodeSelectorTerm }): Preference => ({
  weight,
  matches: nodeSelectorTerm(preference),
})

/** When every term names nodes, no other node is looked at. */
function namedNodes(terms: readonly NodeSelectorTerm[]): PreFiltered<undefined> {
  if (terms.length === 0) return {}
  const names = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const lists = matchFields.filter((f) => f.key === 'metadata.name' && f.operator === 'In').map((f) => f.values ?? [])
    if (lists.length === 0) return {}
    for (const name of lists[0]!) if (lists.every((list) => list.includes(name))) names.add(name)
  }
  return names.size === 0 ? { status: CONFLICT } : { nodeNames: names }
}

function nowMatches(pod: Pod, before: KubeObject | undefined, after: KubeObject | undefined): boolean {
  const matches = factsOf(pod.spec).requiredNode ?? (() => true)
  if (matches(after as Node)) return !before || !matches(before as Node)
  return failsOn(pod, after as Node)
}

/** Whether the pod's terms cannot all be evaluated on a node that none of them matches. A hint that fails counts as one to try again. */
function failsOn({ spec }: Pod, { metadata }: Node): boolean {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return unsoundTerms(terms).length > 0 && selectorFromSet(spec.nodeSelector ?? {}).matches(metadata.labels)
}
