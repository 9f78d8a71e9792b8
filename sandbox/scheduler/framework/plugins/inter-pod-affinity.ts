import type { NodeInfo } from '../node-info.ts'
import { type Listers, type Plugin, plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { allTermsMatch, termMatches } from '../pod-terms.ts'
import { rejected, unresolvable } from '../status.ts'
import { affinityEvents } from './affinity-events.ts'
import { affinityScore, INTER_POD_AFFINITY_DEFAULTS, type InterPodAffinityArgs } from './affinity-score.ts'

const NAME = 'InterPodAffinity'
const AFFINITY = unresolvable(NAME, "node(s) didn't match pod affinity rules")
const ANTI_AFFINITY = rejected(NAME, "node(s) didn't match pod anti-affinity rules")
const EXISTING = rejected(NAME, "node(s) didn't satisfy existing pods anti-affinity rules")

/** How many terms are matched in a topology, by key and value. */
type Counts = Map<string, number>

interface State {
  /** Anti-affinity of pods that are there against this one. */
  readonly existing: Counts
  readonly affinity: Counts
  readonly antiAffinity: Counts
}

/** Required affinity and anti-affinity between pods. Follows pkg/scheduler/framework/plugins/interpodaffinity. */
export function interPodAffinity(listers: Listers, args: InterPodAffinityArgs = INTER_POD_AFFINITY_DEFAULTS): Plugin {
  const { namespaceLabels } = listers
  const update = (state: State, pod: PodInfo, other: PodInfo, node: NodeInfo, by: number) => {
    for (const term of other.facts.requiredAntiAffinity)
      if (termMatches(term, other.pod, pod.pod, namespaceLabels)) count(state.existing, node, term.topologyKey, by)
    if (allTermsMatch(pod.facts.requiredAffinity, pod.pod, other.pod, namespaceLabels))
      for (const term of pod.facts.requiredAffinity) count(state.affinity, node, term.topologyKey, by)
    for (const term of pod.facts.requiredAntiAffinity)
      if (termMatches(term, pod.pod, other.pod, namespaceLabels)) count(state.antiAffinity, node, term.topologyKey, by)
  }
  return plugin<State, unknown>({
    name: NAME,
    weight: 2,
    preFilter(pod, snapshot) {
      const { requiredAffinity, requiredAntiAffinity } = pod.facts
      const state: State = { existing: new Map(), affinity: new Map(), antiAffinity: new Map() }
      const asks = requiredAffinity.length > 0 || requiredAntiAffinity.length > 0
      for (const node of asks ? snapshot.nodes : snapshot.nodesWithRequiredAntiAffinity)
        for (const other of asks ? node.pods : node.podsWithRequiredAntiAffinity) update(state, pod, other, node, 1)
      return asks || state.existing.size > 0 ? { state } : { skip: true }
    },
    filter(state, pod, node) {
      if (!affinityHolds(state, pod, node, listers)) return AFFINITY
      const labels = node.node!.metadata.labels ?? {}
      for (const { topologyKey } of pod.facts.requiredAntiAffinity)
        if (topologyKey in labels && (state.antiAffinity.get(pair(topologyKey, labels[topologyKey]!)) ?? 0) > 0)
          return ANTI_AFFINITY
      if (state.existing.size > 0)
        for (const key in labels) if ((state.existing.get(pair(key, labels[key]!)) ?? 0) > 0) return EXISTING
      return undefined
    },
    cloneState: ({ existing, affinity, antiAffinity }) => ({
      existing: new Map(existing),
      affinity: new Map(affinity),
      antiAffinity: new Map(antiAffinity),
    }),
    podChanged: (state, pod, changed, node, sign) => update(state, pod, changed, node, sign),
    ...affinityScore(listers, args),
    events: affinityEvents,
  })
}

/** The first pod of a group that has affinity to itself may go anywhere its keys exist. */
function affinityHolds(state: State, pod: PodInfo, node: NodeInfo, listers: Listers): boolean {
  const terms = pod.facts.requiredAffinity
  let podsExist = true
  for (const { topologyKey } of terms) {
    const value = node.node!.metadata.labels?.[topologyKey]
    if (value === undefined) return false
    if ((state.affinity.get(pair(topologyKey, value)) ?? 0) <= 0) podsExist = false
  }
  if (podsExist) return true
  return state.affinity.size === 0 && allTermsMatch(terms, pod.pod, pod.pod, listers.namespaceLabels)
}

function count(counts: Counts, node: NodeInfo, key: string, by: number): void {
  const value = node.node?.metadata.labels?.[key]
  if (value === undefined) return
  const at = pair(key, value)
  const now = (counts.get(at) ?? 0) + by
  if (now === 0) counts.delete(at)
  else counts.set(at, now)
}

const pair = (key: string, value: string): string => `${key}=${value}`
