import { parseDuration, type Us } from '../../sandbox/world/time.ts'
import type { ArrivalKind } from './arrival.ts'
import type { LengthDistribution } from './lengths.ts'
import type { RateShape, RateStep } from './rate.ts'
import type { RetryPolicy } from './retry.ts'
import { type Tenant, totalRate, type Workload } from './workload.ts'

/** The load a scenario puts on. JSON; times are durations from the load's start. What it does not say is as the user's workload. */
export interface LoadPlan {
  /**
   * `given`: the rate of the user's workload, with its own shape over time. `ofCapacity`: this share of what the replicas that are Ready at
   * the start can serve, held even but for the steps: a doubling then needs twice the replicas.
   */
  readonly base: 'given' | { readonly ofCapacity: number }
  readonly steps?: readonly PlanStep[]
  /** The base is no more than this, in requests a second: where as much is enough, small answers need not come by the thousand. */
  readonly basePerSecondAtMost?: number
  /** No step goes beyond this share of what the most replicas an autoscaler may make can serve. */
  readonly peakOfMaximum?: number
  /** The highest step asks for so many times what the Ready replicas at the start can serve, or there is nothing to try. */
  readonly overload?: number
  readonly promptTokens?: LengthDistribution
  readonly outputTokens?: LengthDistribution
  readonly arrival?: { readonly kind: ArrivalKind; readonly cv?: number }
  /** Kinds of clients, where the user's workload has none; shares are of the base rate. */
  readonly tenants?: readonly Tenant[]
  readonly retry?: RetryPolicy
}

/**
 * From `at` on the load is `times` its base, reached in a straight line `over` this time; `for` how long, then as before. Times are
 * durations; `scaleOut` is how long the subject's platform takes for one more replica.
 */
export interface PlanStep {
  readonly at: string
  readonly times: number
  readonly over?: string
  readonly for?: string
  /** Only of this tenant: its name, or its place among them from 0. */
  readonly tenant?: string | number
}

/** What a plan is worked out with. */
export interface PlanContext {
  readonly workload: Workload
  /** Replicas of the subject that are Ready at the start. */
  readonly replicas: number
  /** Replicas its autoscaler may make; undefined where it has none. */
  readonly maxReplicas?: number
  /** Requests a second that one replica can serve of such a workload. */
  capacityOf(workload: Workload): number
}

/** The workload of a plan; `true` is the user's. Throws a RangeError on a tenant that is not there. */
export function plannedWorkload(load: true | LoadPlan, context: PlanContext): Workload {
  if (load === true) return context.workload
  const { workload, replicas, maxReplicas, capacityOf } = context
  const { base, arrival, promptTokens, outputTokens, tenants, retry } = load
  const lengths = promptTokens || outputTokens
  const { trace: _, ...untraced } = workload
  const asked: Workload = {
    ...(lengths ? untraced : workload),
    ...(promptTokens ? { promptTokens } : {}),
    ...(outputTokens ? { outputTokens } : {}),
    ...(arrival ? { arrival: arrival.kind, cv: arrival.cv ?? 1 } : {}),
    ...(tenants && !workload.tenants ? { tenants } : {}),
    ...(retry ? { retry } : {}),
  }
  const based =
    base === 'given'
      ? asked
      : scaledTo(
          even(asked),
          Math.min(
            load.basePerSecondAtMost ?? Number.POSITIVE_INFINITY,
            base.ofCapacity * Math.max(1, replicas) * capacityOf(even(asked)),
          ),
        )
  const most =
    load.peakOfMaximum === undefined || maxReplicas === undefined
      ? Number.POSITIVE_INFINITY
      : (load.peakOfMaximum * maxReplicas * capacityOf(even(asked))) / totalRate(based)
  const steps = (load.steps ?? []).map((step) => ({ ...step, times: Math.min(step.times, most) }))
  const common = steps.filter((step) => step.tenant === undefined)
  const shaped = withSteps(based, common)
  if (common.length === steps.length) return shaped
  return { ...shaped, tenants: tenantsWith(shaped, steps) }
}

/** The names of the kinds of clients of a scenario's load. */
export const tenantsOf = (load: boolean | LoadPlan, workload: Workload): string[] =>
  (workload.tenants ?? (typeof load === 'object' ? load.tenants : undefined) ?? []).map(({ name }) => name)

/** When the last step has been reached, or is over; 0 without steps. */
export const planEndsAt = (load: boolean | LoadPlan): Us =>
  typeof load === 'boolean'
    ? 0
    : Math.max(0, ...rateSteps(load.steps ?? []).map(({ atUs, overUs = 0 }) => atUs + overUs))

/** The same clients at another rate in all; tenants with rates of their own keep their proportion. */
export function scaledTo(workload: Workload, requestsPerSecond: number): Workload {
  const before = totalRate(workload)
  const factor = before > 0 ? requestsPerSecond / before : 0
  return {
    ...workload,
    requestsPerSecond: workload.requestsPerSecond * factor,
    ...(workload.tenants
      ? {
          tenants: workload.tenants.map((tenant) =>
            tenant.requestsPerSecond === undefined
              ? tenant
              : { ...tenant, requestsPerSecond: tenant.requestsPerSecond * factor },
          ),
        }
      : {}),
  }
}

/** Without shapes over time. */
const even = (workload: Workload): Workload => ({
  ...workload,
  shapes: [],
  ...(workload.tenants ? { tenants: workload.tenants.map((tenant) => ({ ...tenant, shapes: [] })) } : {}),
})

function withSteps<T extends { shapes?: readonly RateShape[] }>(traffic: T, steps: readonly PlanStep[]): T {
  if (steps.length === 0) return traffic
  return { ...traffic, shapes: [...(traffic.shapes ?? []), { kind: 'steps', steps: rateSteps(steps) }] }
}

function tenantsWith({ tenants = [] }: Workload, steps: readonly PlanStep[]): Tenant[] {
  const indexOf = ({ tenant }: PlanStep) =>
    typeof tenant === 'number' ? tenant : tenants.findIndex(({ name }) => name === tenant)
  for (const step of steps)
    if (step.tenant !== undefined && !tenants[indexOf(step)])
      throw new RangeError(
        `the load has no tenant ${step.tenant} (known: ${tenants.map((t) => t.name).join(', ') || 'none'})`,
      )
  return tenants.map((tenant, i) =>
    withSteps(
      tenant,
      steps.filter((step) => step.tenant !== undefined && indexOf(step) === i),
    ),
  )
}

function rateSteps(steps: readonly PlanStep[]): RateStep[] {
  const ordered = [...steps].sort((a, b) => parseDuration(a.at) - parseDuration(b.at))
  let before = 1
  return ordered.flatMap((step) => {
    const atUs = parseDuration(step.at)
    const overUs = step.over === undefined ? 0 : parseDuration(step.over)
    const up: RateStep = { atUs, times: step.times, overUs }
    if (step.for === undefined) {
      before = step.times
      return [up]
    }
    return [up, { atUs: atUs + overUs + parseDuration(step.for), times: before, overUs }]
  })
}
