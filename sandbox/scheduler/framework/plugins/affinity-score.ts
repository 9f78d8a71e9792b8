import type { NodeInfo } from '../node-info.ts'
import type { Listers, Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { type AffinityTerm, termMatches } from '../pod-terms.ts'

/** The arguments of the plugin. Defaults follow pkg/scheduler/apis/config/v1/defaults.go. */
export interface InterPodAffinityArgs {
  /** The weight of others' required affinity to this pod. */
  readonly hardPodAffinityWeight: number
  /** A pod without preferences of its own does not hear those of others. */
  readonly ignorePreferredTermsOfExistingPods: boolean
}

export const INTER_POD_AFFINITY_DEFAULTS: InterPodAffinityArgs = {
  hardPodAffinityWeight: 1,
  ignorePreferredTermsOfExistingPods: false,
}

/** Sums of weights, by topology key and value. */
type State = Map<string, Map<string, number>>

/** Preferred affinity between pods. Follows pkg/scheduler/framework/plugins/interpodaffinity/scoring.go. */
export function affinityScore(
  { namespaceLabels }: Listers,
  args: InterPodAffinityArgs,
): Pick<Plugin, 'preScore' | 'score' | 'normalize'> {
  const { hardPodAffinityWeight, ignorePreferredTermsOfExistingPods: ignores } = args
  const part: Pick<Plugin<unknown, State>, 'preScore' | 'score' | 'normalize'> = {
    preScore(pod, _, snapshot) {
      const state: State = new Map()
      const add = (term: AffinityTerm, owner: PodInfo, meant: PodInfo, node: NodeInfo, weight: number) => {
        const value = node.node!.metadata.labels?.[term.topologyKey]
        if (value === undefined || !termMatches(term, owner.pod, meant.pod, namespaceLabels)) return
        const values = state.get(term.topologyKey) ?? new Map<string, number>()
        state.set(term.topologyKey, values.set(value, (values.get(value) ?? 0) + weight))
      }
      const { preferredAffinity, preferredAntiAffinity } = pod.facts
      const asks = preferredAffinity.length > 0 || preferredAntiAffinity.length > 0
      if (ignores && !asks) return undefined
      for (const node of asks ? snapshot.nodes : snapshot.nodesWithAffinity) {
        for (const other of asks ? node.pods : node.podsWithAffinity) {
          for (const term of preferredAffinity) add(term, pod, other, node, term.weight)
          for (const term of preferredAntiAffinity) add(term, pod, other, node, -term.weight)
          if (hardPodAffinityWeight > 0)
            for (const term of other.facts.requiredAffinity) add(term, other, pod, node, hardPodAffinityWeight)
          for (const term of other.facts.preferredAffinity) add(term, other, pod, node, term.weight)
          for (const term of other.facts.preferredAntiAffinity) add(term, other, pod, node, -term.weight)
        }
      }
      return state.size > 0 ? state : undefined
    },
    score(state, _, { node }) {
      let score = 0
      for (const [key, values] of state) {
        const value = node!.metadata.labels?.[key]
        if (value !== undefined) score += values.get(value) ?? 0
      }
      return score
    },
    normalize(scores) {
      let least = Infinity
      let greatest = -Infinity
      for (const score of scores) {
        if (score < least) least = score
        if (score > greatest) greatest = score
      }
      const range = greatest - least
      for (let i = 0; i < scores.length; i++)
        scores[i] = range > 0 ? Math.trunc(100 * ((scores[i]! - least) / range)) : 0
    },
  }
  return part as Pick<Plugin, 'preScore' | 'score' | 'normalize'>
}
