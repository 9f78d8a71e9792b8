import { budgetOf } from './objects/budget.ts'
import { type Candidate, type Diagnosis, type RemedyContext, remedy } from './remedy.ts'

/** A drain that takes several replicas of one node at once, where nothing says how many may go. */
export const evictedTogether = remedy({
  causes: ['slo-availability', 'slo-goodput', 'slo-ttft', 'slo-tpot', 'slo-e2e'],
  diagnose(context): Diagnosis | undefined {
    const candidates = oneAtATime(context)
    const { replicas } = context.deployment.spec
    const nodes = nodesOfItsPool(context)
    // with fewer replicas than nodes each may have had its own
    if (candidates.length === 0 || replicas <= nodes) return undefined
    return {
      path: 'spec.replicas',
      says: `${replicas} replicas on ${nodes} node${nodes === 1 ? '' : 's'}, and no PodDisruptionBudget: all of a node go at once, and what is left does not serve the load`,
      candidates,
      guess: true,
    }
  },
})

/** A budget where there is none. A second one over the same pods would forbid every eviction. */
export function oneAtATime({ subject, faults, related, deployment, written }: RemedyContext): Candidate[] {
  if (related.disruptionBudgets.length > 0 || deployment.spec.replicas < 2) return []
  if (!faults.some((fault) => EVICTING.has(fault))) return []
  return [{ says: 'a PodDisruptionBudget with maxUnavailable: 1', adds: budgetOf(subject, written) }]
}

/** What goes by the eviction API, which budgets hold back. */
const EVICTING: ReadonlySet<string> = new Set(['drainNode', 'reclaimNode'])

function nodesOfItsPool({ setup }: RemedyContext): number {
  const { nodes, pool } = setup()
  return nodes.find(({ name }) => name === pool)?.count ?? 0
}
