import type { LabelSelector } from '../kube/objects.ts'
import { labelSelector, type Selector } from '../kube/selectors.ts'
import type { PodInfo } from './framework/pod-info.ts'

/** What preemption reads of a PodDisruptionBudget. */
export interface DisruptionBudget {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: { readonly selector?: LabelSelector }
  readonly status: { readonly disruptionsAllowed: number; readonly disruptedPods?: Readonly<Record<string, string>> }
}

/** Tells apart the pods whose going, one after the other, would break a budget. Follows plugins/defaultpreemption filterPodsWithPDBViolation. */
export function splitByBudgets(
  pods: readonly PodInfo[],
  budgets: readonly DisruptionBudget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map((budget) => ({
    budget,
    selector: selectorOf(budget),
    allowed: budget.status.disruptionsAllowed,
  }))
  const violating: PodInfo[] = []
  const others: PodInfo[] = []
  for (const info of pods) {
    const { name, namespace, labels = {} } = info.pod.metadata
    let violates = false
    for (const entry of Object.keys(labels).length > 0 ? left : []) {
      const { budget, selector } = entry
      if (budget.metadata.namespace !== namespace || selector.empty || !selector.matches(labels)) continue
      if (budget.status.disruptedPods && name in budget.status.disruptedPods) continue
      if (--entry.allowed < 0) violates = true
    }
    ;(violates ? violating : others).push(info)
  }
  return { violating, others }
}

const selectors = new WeakMap<DisruptionBudget, Selector>()

/** Kept for each version of a budget: preemption asks once a node. */
function selectorOf(budget: DisruptionBudget): Selector {
  let selector = selectors.get(budget)
  if (!selector) {
    selector = labelSelector(budget.spec.selector)
    selectors.set(budget, selector)
  }
  return selector
}
