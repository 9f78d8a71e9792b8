import { parseDuration, type Us } from '../../sandbox/world/time.ts'
import { type LoadPlan, type PlanContext, plannedWorkload } from './plan.ts'
import { totalRate } from './workload.ts'

/** Replicas' worth of requests that a plan's highest step asks for, by what one of them can serve of it. */
export function replicasAtPeak(load: true | LoadPlan, context: PlanContext): number {
  const planned = plannedWorkload(load, context)
  const steps = load === true || !load.steps ? undefined : planned.shapes?.at(-1)
  const times = steps?.kind === 'steps' ? Math.max(1, ...steps.steps.map((step) => step.times)) : 1
  const capacity = context.capacityOf(planned)
  return capacity > 0 ? (totalRate(planned) * times) / capacity : 0
}

/** Why a plan that is to overload the replicas there are cannot be carried out. */
export function whyNoOverload(load: boolean | LoadPlan, context: PlanContext): string | undefined {
  if (typeof load === 'boolean' || load.overload === undefined) return undefined
  const { replicas, maxReplicas } = context
  if (replicas === 0) return 'no replica runs while nobody asks (cold-start-from-zero tries what comes then)'
  if (replicasAtPeak(load, context) >= load.overload * replicas) return undefined
  return `${replicas} of at most ${maxReplicas} replicas run before any load: its autoscaler has nowhere to go`
}

/** When a plan's first step begins, from the load's start. */
export const firstStepAt = (load: boolean | LoadPlan): Us | undefined =>
  typeof load === 'boolean' || !load.steps ? undefined : Math.min(...load.steps.map(({ at }) => parseDuration(at)))
