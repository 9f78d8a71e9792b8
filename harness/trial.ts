import type { Deployment } from '../sandbox/kube/objects.ts'
import type { Sandbox } from '../sandbox/tiers/tier.ts'
import { minutes, parseDuration, seconds, type Us } from '../sandbox/world/time.ts'
import { applyManifests } from './apply-manifests.ts'
import { beginLoad, whyNoLoad } from './begin-load.ts'
import { Goals } from './converge.ts'
import { faults } from './faults/index.ts'
import { planEndsAt } from './load/plan.ts'
import { unmetNeed } from './needs.ts'
import { type Observation, observe } from './observation.ts'
import { remediationIn } from './platform/roles/remediation.ts'
import { isIdle, neverAtZero } from './scaling/idle.ts'
import { withScaleOutTime } from './scaling/scale-out-time.ts'
import type { Scenario } from './scenario.ts'
import type { Setup } from './setup.ts'
import { Timeline } from './timeline.ts'
import type { TrialSpec } from './trial-spec.ts'
import { badInputs } from './verdict/inputs-check.ts'
import { headerOf, judge } from './verdict/judge.ts'
import type { Invalid, TrialResult } from './verdict/verdict.ts'

/** How often the harness looks whether what it waits for has come. */
const LOOK_EVERY: Us = seconds(1)
/** How long it is watched on at most where a goal was not reached: what comes later counts no more. */
const WATCH_UNREACHED: Us = minutes(2)
/** How long answers under way may still come when the load has ended. */
const DRAIN: Us = seconds(30)

/**
 * The main path. A sandbox is made, the manifests are applied, the platform settles, the timeline of load, faults and changes
 * runs, failures are healed, the platform converges or does not, and the record is judged.
 */
export async function runTrial(given: TrialSpec): Promise<TrialResult> {
  const spec = { ...given, scenario: withScaleOutTime(given.scenario, given.setup) }
  const { scenario, setup, tier, seed } = spec
  const lacking = leversOf(scenario).find((lever) => !tier.levers.includes(lever))
  if (lacking) return judge.skipped(spec, `tier ${tier.name} has no lever ${lacking}`)
  const unmet = unmetNeed(scenario, setup)
  if (unmet) return judge.skipped(spec, unmet)
  const bad = badInputs(setup)
  if (bad.length > 0) return judge.invalid(spec, bad)
  const { descheduler } = remediationIn(setup.objects)
  const sandbox = await tier.up({
    ...setup,
    monitoring: monitoringIn(spec),
    ...(descheduler ? { descheduler } : {}),
    nodes: withSpares(setup, scenario.spareNodes ?? 0),
    seed,
  })
  try {
    const observation = observe(spec, sandbox.world)
    const untried = await conduct(spec, sandbox, observation)
    if (typeof untried === 'string') return judge.skipped(spec, untried)
    if (untried) return judge.invalid(spec, [untried])
    observation.unmodelled.push(...sandbox.refusals())
    spec.onRecord?.({ header: headerOf(spec), journal: sandbox.world.journal })
    const result = judge.record(spec, sandbox.world, observation)
    const unsound = sandbox.unsound?.()
    return unsound ? { ...result, outcome: 'INVALID', invalid: [{ code: 'MACHINE_TOO_SLOW', ...unsound }] } : result
  } finally {
    await sandbox.close()
  }
}

/** Says why nothing could be tried: a reason to skip it, or what was missing. */
async function conduct(
  spec: TrialSpec,
  sandbox: Sandbox,
  observation: Observation,
): Promise<string | Invalid | undefined> {
  const { scenario, setup } = spec
  const settleBoundUs = setup.settleBound(stretchOf(spec))
  const timeline = new Timeline(spec, sandbox)

  observation.enter('apply')
  await timeline.before()
  const objects = scenario.withoutProbes ? healthProbeOnly(setup) : setup.objects
  const rejected = await applyManifests(objects, sandbox, observation.view)
  if (rejected) {
    observation.reject(rejected)
    return undefined
  }

  observation.enter('settle')
  const settled = await waitFor(sandbox, settleBoundUs, () => observation.settled() || observation.broken())
  if (!settled || observation.broken()) return undefined
  const untried = (await idle(spec, sandbox, observation)) ?? whyNoLoad(spec, observation)
  if (untried) return untried

  observation.enter('timeline')
  const start = sandbox.world.clock.now
  observation.settledAt = start
  const load = beginLoad(spec, sandbox, observation)
  await timeline.run(start)
  await sandbox.runUntil(Math.max(sandbox.world.clock.now, start + planEndsAt(scenario.load)))
  timeline.heal()

  observation.enter('converge')
  const { clock } = sandbox.world
  const goals = new Goals(observation, setup, settleBoundUs)
  observation.goals = goals
  const isBroken = () => {
    goals.look(clock.now)
    return observation.broken()
  }
  await waitFor(sandbox, Number.POSITIVE_INFINITY, () => isBroken() || goals.reached() || goals.ended(clock.now))
  observation.gaveUp = goals.gaveUp(clock.now) && !observation.broken()
  const watchFor = parseDuration(scenario.watchFor)
  await waitFor(sandbox, goals.reached() ? watchFor : Math.min(watchFor, WATCH_UNREACHED), isBroken)
  if (load) {
    load.endSending()
    await waitFor(sandbox, DRAIN, () => load.open() === 0)
    observation.sent = load.sent()
    load.giveUp()
  }
  observation.enter('judge')
  return undefined
}

/** Waits until nobody has asked for so long that the server has gone to zero, where the scenario begins there. */
async function idle(
  { scenario, setup }: TrialSpec,
  sandbox: Sandbox,
  observation: Observation,
): Promise<Invalid | undefined> {
  if (scenario.idleFor === undefined) return undefined
  observation.enter('idle')
  const { subject } = setup
  const since = sandbox.world.clock.now
  const idleUs = () => sandbox.world.clock.now - since
  const atRest = await waitFor(sandbox, parseDuration(scenario.idleFor), () =>
    isIdle(subject, observation.view, idleUs()),
  )
  return atRest ? undefined : neverAtZero(subject, observation.view, idleUs())
}

/** The objects, where the subject's pods have no probe but that the server is ready when it says so itself. */
function healthProbeOnly({ objects, subject }: Setup): Setup['objects'] {
  return objects.map((object) => {
    const { kind, metadata } = object
    if (
      kind !== subject.kind ||
      metadata.name !== subject.name ||
      (metadata.namespace ?? 'default') !== subject.namespace
    )
      return object
    const workload = object as unknown as Pick<Deployment, 'spec'>
    const { template } = workload.spec
    const containers = template.spec.containers.map(
      ({ startupProbe: _s, livenessProbe: _l, readinessProbe: _r, ...rest }) =>
        rest.name === subject.container ? { ...rest, readinessProbe: subject.healthProbe } : rest,
    )
    return { ...object, spec: { ...workload.spec, template: { ...template, spec: { ...template.spec, containers } } } }
  })
}

/** Moves time on until `done` holds; false when it does not within `bound`. */
async function waitFor(sandbox: Sandbox, bound: Us, done: () => boolean): Promise<boolean> {
  const deadline = sandbox.world.clock.now + bound
  while (!done()) {
    if (sandbox.world.clock.now >= deadline) return false
    await sandbox.runUntil(Math.min(sandbox.world.clock.now + LOOK_EVERY, deadline))
  }
  return true
}

/** How many times longer a start may take under the scenario's faults. */
function stretchOf({ scenario }: TrialSpec): number {
  return scenario.timeline.reduce(
    (stretch, entry) => stretch * (faults.get(entry.do.fault)?.stretches?.(entry.do) ?? 1),
    1,
  )
}

const leversOf = (scenario: Scenario) => scenario.timeline.flatMap((entry) => faults.get(entry.do.fault)?.lever ?? [])

/** Alerts are looked at where something is done to the platform. */
function monitoringIn({ scenario, setup }: TrialSpec): Setup['monitoring'] {
  const { alerting: _, ...quiet } = setup.monitoring
  return scenario.timeline.length > 0 ? setup.monitoring : quiet
}

/** The group of nodes the subject's pods go to, with `count` nodes more. */
const withSpares = ({ nodes, pool }: Setup, count: number): Setup['nodes'] =>
  nodes.map((group) => (group.name === pool ? { ...group, count: group.count + count } : group))
