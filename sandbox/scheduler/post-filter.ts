import type { Us } from '../world/time.ts'
import type { DisruptionBudget } from './disruption-budgets.ts'
import type { Diagnosis } from './framework/fit-error.ts'
import type { PodInfo } from './framework/pod-info.ts'
import type { FilterState } from './framework/runtime.ts'
import type { Preemption, PreemptionOutcome } from './preemption.ts'

/** What DynamicResources says after every failure of a pod without claims, and of one that was rejected before it was asked. */
const NO_CLAIMS = 'no new claims to deallocate'
const NOT_ASKED = 'not found'

/**
 * What can still be done for a pod that fits nowhere: DynamicResources is asked first and never can, then preemption.
 * Follows pkg/scheduler/framework/runtime/framework.go RunPostFilterPlugins, plugins/dynamicresources PostFilter.
 */
export function postFilter(
  preemption: Preemption | undefined,
  pod: PodInfo,
  filters: FilterState,
  diagnosis: Diagnosis,
  options: { now: Us; budgets: readonly DisruptionBudget[] },
): PreemptionOutcome {
  if (diagnosis.preFilterMessage) return { nominate: undefined, message: NOT_ASKED }
  if (!preemption) return { nominate: undefined, message: NO_CLAIMS }
  const outcome = preemption.evaluate(pod, filters, diagnosis, options)
  if (outcome.candidate || outcome.isError) return outcome
  return { ...outcome, message: `${NO_CLAIMS}, ${outcome.message}` }
}
