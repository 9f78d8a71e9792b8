import type { Node, NodeSelectorTerm, Pod } from '../../../kube/objects.ts'
import { nodeSelectorTerm } from '../../../kube/selectors.ts'
import { Action } from '../events.ts'
import { defaultNormalize, type PreFiltered, plugin } from '../plugin.ts'
import { factsOf } from '../pod-info.ts'
import { unresolvable } from '../status.ts'

const NAME = 'NodeAffinity'
const REJECTED = unresolvable(NAME, "node(s) didn't match Pod's node affinity/selector")
const CONFLICT = unresolvable(NAME, 'pod affinity terms conflict')

type Preference = { weight: number; matches: (node: Node) => boolean }

/** Node selector, required and preferred node affinity. Follows pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go. */
export const nodeAffinity = plugin<undefined, readonly Preference[]>({
  name: NAME,
  weight: 2,
  preFilter({ pod, facts }) {
    if (!facts.requiredNode) return { skip: true }
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    return namedNodes(required?.nodeSelectorTerms ?? [])
  },
  filter: (_, { facts }, { node }) => (facts.requiredNode && !facts.requiredNode(node!) ? REJECTED : undefined),
  preScore({ pod }) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution
    return preferred?.map(({ weight, preference }) => ({ weight, matches: nodeSelectorTerm(preference) }))
  },
  score: (preferences, _, { node }) =>
    preferences.reduce((sum, { weight, matches }) => (matches(node!) ? sum + weight : sum), 0),
  normalize: (scores) => defaultNormalize(scores, false),
  events: [{ resource: 'Node', actions: Action.Add | Action.UpdateNodeLabel, hint: nowMatches }],
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

function nowMatches(pod: Pod, before: Pod | Node | undefined, after: Pod | Node | undefined): boolean {
  const matches = factsOf(pod.spec).requiredNode ?? (() => true)
  return matches(after as Node) && (!before || !matches(before as Node))
}
