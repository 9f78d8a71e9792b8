import { minutes, seconds, toSeconds, type Us } from '../../sandbox/world/time.ts'
import type { LoadPlan, PlanStep } from '../load/plan.ts'
import type { Scenario } from '../scenario.ts'
import type { Setup } from '../setup.ts'

/** What probes and endpoints add to the start of a server. */
const UNTIL_ROUTED: Us = seconds(30)
/**
 * From a queue to the pod that is made for it: a scrape (up to 30 s, as prometheus-operator does), a rate or an average over a minute, a poll of
 * KEDA (30 s) or a relist of an adapter, a sync of the HPA (15 s).
 */
const METRIC_DELAYS: Us = minutes(2)
/** A window in which promises are met again. */
const WINDOW: Us = minutes(1)

/** How long one more replica takes once its pod is there. */
const scaleOutTime = ({ startUs }: Setup): Us => startUs + UNTIL_ROUTED

/**
 * How long after the load has risen the promises must be met again: the metrics' delays, one scale-out, as long again to serve off what has
 * waited meanwhile (with a fifth of the capacity to spare it takes no longer), and a window to show it.
 */
export const recoveryTime = (setup: Setup): Us => 2 * (METRIC_DELAYS + scaleOutTime(setup)) + WINDOW

/** The scenario with durations where its load says `scaleOut`. */
export function withScaleOutTime<S extends Pick<Scenario, 'load'>>(scenario: S, setup: Setup): S {
  const { load } = scenario
  if (typeof load === 'boolean' || !load.steps) return scenario
  const time = `${toSeconds(scaleOutTime(setup))}s`
  const timed = (text: string | undefined) => (text === 'scaleOut' ? time : text)
  const steps = load.steps.map(
    (step): PlanStep => ({
      ...step,
      at: timed(step.at)!,
      ...(step.over === undefined ? {} : { over: timed(step.over)! }),
      ...(step.for === undefined ? {} : { for: timed(step.for)! }),
    }),
  )
  const plan: LoadPlan = { ...load, steps }
  return { ...scenario, load: plan }
}
