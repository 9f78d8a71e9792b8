import { type Plugin, plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { balancedAllocation } from './resource-scores.ts'
import { balanceScore } from './resource-strategies.ts'

/** Says nothing about a pod that requests neither cpu nor memory. Follows pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go. */
export const nodeResourcesBalanced = plugin<undefined, true>({
  name: 'NodeResourcesBalancedAllocation',
  nodeLocal: true,
  weight: 1,
  preScore: ({ facts: { requests } }) => (requests.milliCpu === 0 && requests.memoryBytes === 0 ? undefined : true),
  score: (_, { facts }, node) => balancedAllocation(facts, node),
})

/** The plugin for resources of one's own choice. */
export function nodeResourcesBalancedWith(resources: readonly string[]): Plugin {
  const { asksAny, score } = balanceScore(resources)
  return {
    ...nodeResourcesBalanced,
    preScore: ({ facts }: PodInfo) => (asksAny(facts) ? true : undefined),
    score: (_, { facts }, node) => score(facts, node),
  }
}
