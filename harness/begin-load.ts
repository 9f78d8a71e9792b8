import type { Sandbox } from '../sandbox/tiers/tier.ts'
import { firstStepAt, replicasAtPeak, whyNoOverload } from './load/peak.ts'
import { type PlanContext, planEndsAt, plannedWorkload } from './load/plan.ts'
import { type Load, startLoad } from './load/simulated-sender.ts'
import type { Observation } from './observation.ts'
import { sampleEngines } from './scaling/engine-samples.ts'
import { readyPods } from './subject.ts'
import type { TrialSpec } from './trial-spec.ts'

/** Why the load a scenario asks for cannot be put on the platform as it has settled. */
export function whyNoLoad({ scenario, setup }: TrialSpec, observation: Observation): string | undefined {
  return whyNoOverload(scenario.load, contextOf(setup, observation))
}

/** Begins the scenario's load, and records the metrics it wants to be recorded. Undefined where it has none. */
export function beginLoad(spec: TrialSpec, sandbox: Sandbox, observation: Observation): Load | undefined {
  const { scenario, setup } = spec
  const { subject } = setup
  if (!scenario.load) return undefined
  const context = contextOf(setup, observation)
  const { now } = sandbox.world.clock
  const stepAt = firstStepAt(scenario.load)
  const sender = startLoad({
    world: sandbox.world,
    route: setup.entry
      ? sandbox.enter(setup.entry)
      : sandbox.reach(subject.service?.key ?? subject.key, subject.service?.port ?? 0),
    workload: plannedWorkload(scenario.load, context),
    model: setup.model,
    target: subject.key,
    blockTokens: setup.kvBlockTokens,
  })
  observation.load = {
    sender,
    steadyAt: now + planEndsAt(scenario.load),
    stepAt: stepAt === undefined ? undefined : now + stepAt,
    peakReplicas: replicasAtPeak(scenario.load, context),
  }
  const names = scenario.samples ?? []
  if (names.length > 0) sampleEngines({ sandbox, subject, view: observation.view, names })
  return sender
}

const contextOf = (setup: TrialSpec['setup'], { view }: Observation): PlanContext => ({
  ...setup,
  replicas: readyPods(setup.subject, view),
})
