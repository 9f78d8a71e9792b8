import type { NodeInfo } from '../node-info.ts'
import type { Plugin } from '../plugin.ts'
import { plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { rejected, unresolvable } from '../status.ts'
import { PodCounts } from './pod-counts.ts'
import { type Constraint, constraintsOf, hasAllKeys, includes, type SpreadListers } from './spread-constraints.ts'
import { spreadEvents } from './spread-events.ts'
import { spreadScore } from './spread-score.ts'

const NAME = 'PodTopologySpread'
const TOO_SKEWED = rejected(NAME, "node(s) didn't match pod topology spread constraints")
const NO_LABEL = unresolvable(NAME, "node(s) didn't match pod topology spread constraints (missing required label)")

interface Spread {
  readonly constraint: Constraint
  /** Matching pods by value of the topology key. */
  readonly counts: Map<string, number>
  readonly selfCounts: boolean
  /** The least count, when it is known. */
  least: number | undefined
}

/** Keeps matching pods even over zones, hosts or other topologies. Follows pkg/scheduler/framework/plugins/podtopologyspread. */
export function topologySpread(listers: SpreadListers): Plugin {
  const podCounts = new PodCounts()
  return plugin<Spread[], unknown>({
    name: NAME,
    weight: 2,
    preFilter(pod, { nodes }) {
      const constraints = constraintsOf(pod.pod, 'DoNotSchedule', listers)
      if (constraints.length === 0) return { skip: true }
      return { state: spreadsOf(pod, constraints, nodes, podCounts) }
    },
    filter(spreads, _, { node }) {
      for (const spread of spreads) {
        const { constraint, counts, selfCounts } = spread
        const value = node!.metadata.labels?.[constraint.topologyKey]
        if (value === undefined) return NO_LABEL
        spread.least ??= leastCount(counts, constraint.minDomains)
        const skew = (counts.get(value) ?? 0) + (selfCounts ? 1 : 0) - spread.least
        if (skew > constraint.maxSkew) return TOO_SKEWED
      }
      return undefined
    },
    cloneState: (spreads) => spreads.map((spread) => ({ ...spread, counts: new Map(spread.counts) })),
    podChanged(spreads, pod, changed, { node }, sign) {
      if (changed.pod.metadata.namespace !== pod.pod.metadata.namespace || !node) return
      const constraints = spreads.map(({ constraint }) => constraint)
      if (!hasAllKeys(node, constraints)) return
      for (const spread of spreads) {
        const { constraint, counts } = spread
        if (!constraint.selector.matches(changed.pod.metadata.labels) || !includes(constraint, pod, node)) continue
        const value = node.metadata.labels![constraint.topologyKey]!
        counts.set(value, (counts.get(value) ?? 0) + sign)
        spread.least = undefined
      }
    },
    ...spreadScore(listers, podCounts),
    events: spreadEvents(listers),
  })
}

function spreadsOf(
  pod: PodInfo,
  constraints: readonly Constraint[],
  nodes: readonly NodeInfo[],
  podCounts: PodCounts,
): Spread[] {
  const spreads = constraints.map((constraint) => ({
    constraint,
    counts: new Map<string, number>(),
    counter: podCounts.of(constraint.selector, pod.pod.metadata.namespace ?? ''),
    selfCounts: constraint.selector.matches(pod.pod.metadata.labels),
    least: undefined,
  }))
  for (const info of nodes) {
    const node = info.node!
    if (!hasAllKeys(node, constraints)) continue
    for (const { constraint, counts, counter } of spreads) {
      if (!includes(constraint, pod, node)) continue
      const value = node.metadata.labels![constraint.topologyKey]!
      counts.set(value, (counts.get(value) ?? 0) + counter.on(info))
    }
  }
  return spreads
}

/** Zero while there are fewer domains than asked for. Without any domain nothing is too skewed. */
function leastCount(counts: Map<string, number>, minDomains: number): number {
  if (counts.size < minDomains) return 0
  let least = 2 ** 31 - 1
  for (const count of counts.values()) if (count < least) least = count
  return least
}
