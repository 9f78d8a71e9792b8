import { plugin } from '../plugin.ts'
import { balancedAllocation } from './resource-scores.ts'

/** Says nothing about a pod that requests neither cpu nor memory. Follows pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go. */
export const nodeResourcesBalanced = plugin<undefined, true>({
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  preScore: ({ facts: { requests } }) => (requests.milliCpu === 0 && requests.memoryBytes === 0 ? undefined : true),
  score: (_, { facts }, node) => balancedAllocation(facts, node),
})
