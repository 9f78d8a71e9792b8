import type { Store } from '../../sandbox/apiserver/store.ts'
import { ApiError } from '../../sandbox/kube/errors.ts'
import { kindOf, Node, Pod } from '../../sandbox/kube/kinds.ts'
import { lagProfiles } from '../../sandbox/kube/lag.ts'
import type { Draft, KubeObject } from '../../sandbox/kube/objects.ts'
import { condition, isReady } from '../../sandbox/kube/pods.ts'
import { uncordon } from '../../sandbox/kubectl/cordon.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import type { Sandbox } from '../../sandbox/tiers/tier.ts'
import type { VirtualClock } from '../../sandbox/world/clock.ts'
import { minutes, seconds, type Us } from '../../sandbox/world/time.ts'
import { findServers, programsFor, resolveOn } from '../inference-servers.ts'
import { type Load, startLoad } from '../load/simulated-sender.ts'
import { loadPlatform } from '../platform/load.ts'
import type { Platform } from '../platform/platform.ts'
import { inject } from './inject.ts'
import { AlwaysRules } from './invariants/always.ts'
import { type Scene, unsettled } from './invariants/eventual.ts'
import { ProgramWatch } from './invariants/programs.ts'
import { guardEvents } from './live-lock.ts'
import { keyOfWorkload, type Plan, type RandomPlatform, type RandomWorkload } from './platform.ts'
import { emptyTally, type Tally, tallyRecord, watchEvictions } from './tally.ts'
import { type Violation, Violations } from './violation.ts'

export interface DrillResult {
  readonly violations: readonly Violation[]
  /** Of the journal; the same whenever the same is run. */
  readonly hash: string
  readonly simulatedUs: Us
  readonly events: number
  readonly records: number
  readonly programs: number
  /** Of pods at the end, and how many of them are Ready. */
  readonly pods: number
  readonly ready: number
  readonly requests: number
  readonly faults: number
  readonly tally: Tally
}

export interface DrillOptions {
  /** Breaks the API server on purpose, to see that the rules bite. */
  readonly tamper?: (store: Store) => void
}

type SimulatedSandbox = Sandbox & { readonly world: { readonly clock: VirtualClock }; readonly store: Store }

/** How often it is looked whether all is well again. */
const LOOK_EVERY: Us = seconds(15)
/** From the last healing until everything must be well: back-offs are five minutes at most, and several may follow on one another. */
const CONVERGES_WITHIN: Us = minutes(30)

/**
 * Applies a random platform, lets the plan befall it, heals everything, and holds the rules that every cluster keeps: some after every
 * write, the others when there was time to converge.
 */
export async function runDrill(
  platform: RandomPlatform,
  plan: Plan,
  seed: number,
  options: DrillOptions = {},
): Promise<DrillResult> {
  let sandbox: SimulatedSandbox | undefined
  const violations = new Violations(() => sandbox?.world.clock.now ?? 0)
  const watch = new ProgramWatch(violations)
  const rules = new AlwaysRules(violations, watch)
  const counts = { requests: 0, faults: 0 }
  const tally = emptyTally()
  try {
    const read = await loadPlatform({
      paths: ['-'],
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: platform.objects }),
      cwd: '/nowhere',
    })
    sandbox = (await sim.up(sandboxOptions(platform, plan, read, seed, watch))) as SimulatedSandbox
    options.tamper?.(sandbox.store)
    for (const record of sandbox.world.journal.records) rules.take(record)
    sandbox.world.journal.subscribe((record) => {
      rules.take(record)
      tallyRecord(tally, record)
    })
    watchEvictions(sandbox.store, tally, violations)
    guardEvents(sandbox.world.clock)
    await conduct(sandbox, { platform, plan, read, watch, rules, violations, counts, tally })
  } catch (error) {
    violations.add('crash', (error as Error).stack ?? String(error))
  }
  const journal = sandbox?.world.journal
  return {
    violations: violations.found,
    hash: journal?.hash({ schemaVersion: 1, seatrial: '', seed, scenario: 'random', tier: 'sim', inputs: null }) ?? '',
    simulatedUs: sandbox?.world.clock.now ?? 0,
    events: sandbox?.world.clock.events ?? 0,
    records: journal?.records.length ?? 0,
    programs: watch.started,
    ready: rules.view.list(Pod).filter(isReady).length,
    pods: rules.view.list(Pod).length,
    ...counts,
    tally,
  }
}

function sandboxOptions(platform: RandomPlatform, plan: Plan, read: Platform, seed: number, watch: ProgramWatch) {
  const { nodes, nodeAutoscaler, monitoring, imageBytes, registryBytesPerSecond } = platform
  const loadTimes = new Map(platform.workloads.map((one) => [keyOfWorkload(one), one.loadTimeUs]))
  const servers = findServers(read)
  const ids = new Map(
    servers.map(({ id, object: { manifest } }) => [id, `${manifest.metadata.namespace}/${manifest.metadata.name}`]),
  )
  const programFor = programsFor({
    servers,
    nodes,
    platform: read,
    loadTimeUs: (id) => loadTimes.get(ids.get(id)!)!,
    idleCpuCores: () => 0.5,
  })
  return {
    seed,
    nodes,
    monitoring,
    ...(nodeAutoscaler ? { nodeAutoscaler } : {}),
    registryBytesPerSecond,
    lag: lagProfiles.find(({ name }) => name === plan.lag)!,
    imageBytes: () => imageBytes,
    programFor: watch.around(programFor),
  }
}

interface Parts {
  readonly platform: RandomPlatform
  readonly plan: Plan
  readonly read: Platform
  readonly watch: ProgramWatch
  readonly rules: AlwaysRules
  readonly violations: Violations
  readonly counts: { requests: number; faults: number }
  readonly tally: Tally
}

async function conduct(sandbox: Sandbox, parts: Parts): Promise<void> {
  const { platform, plan, rules, counts, violations } = parts
  const start = sandbox.world.clock.now
  await apply(sandbox, platform, violations)
  const loads = send(sandbox, parts)
  await befall(sandbox, parts, start)
  for (const { metadata } of rules.view.list(Node)) await tolerated(sandbox, uncordon(sandbox.kube, metadata.name))
  await sandbox.runUntil(start + plan.healedAtUs + minutes(1))
  for (const load of loads) {
    load.endSending()
    load.giveUp()
    counts.requests += load.sent()
  }
  await converge(sandbox, parts)
}

async function apply(sandbox: Sandbox, { objects }: RandomPlatform, violations: Violations): Promise<void> {
  for (const object of objects)
    try {
      await sandbox.run('kubectl', sandbox.kube.create(kindOf(object), object as unknown as Draft<KubeObject>))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.reason !== 'Forbidden')
        violations.add('refused', `${object.kind} ${object.metadata.name}: ${error.message}`)
    }
}

function send(sandbox: Sandbox, { platform }: Parts): Load[] {
  return platform.workloads.flatMap((workload) => {
    const { requestsPerSecond, servicePort } = workload
    if (requestsPerSecond === 0 || servicePort === undefined) return []
    const target = keyOfWorkload(workload)
    const load = startLoad({
      world: sandbox.world,
      route: sandbox.reach(target, servicePort),
      workload: {
        arrival: 'poisson',
        requestsPerSecond,
        promptTokens: { kind: 'lognormal', meanTokens: 300, p95Tokens: 900 },
        outputTokens: { kind: 'uniform', minTokens: 1, maxTokens: 200 },
        timeoutUs: seconds(60),
      },
      model: 'm',
      target,
      blockTokens: 16,
    })
    return [load]
  })
}

/** Carries the plan out and heals it. */
async function befall(sandbox: Sandbox, { platform, plan, rules, counts, tally }: Parts, start: Us): Promise<void> {
  const steps = plan.faults.flatMap((fault) => {
    let heal: (() => void) | undefined
    const begin = () => {
      counts.faults++
      heal = inject(fault, { sandbox, view: rules.view, platform, tally })
    }
    return [
      { at: fault.atUs, act: begin },
      { at: fault.atUs + fault.forUs, act: () => heal?.() },
    ]
  })
  for (const { at, act } of steps.sort((a, b) => a.at - b.at)) {
    await sandbox.runUntil(start + at)
    act()
  }
}

async function converge(sandbox: Sandbox, { platform, read, watch, rules, violations }: Parts): Promise<void> {
  const { clock } = sandbox.world
  const deadline = clock.now + CONVERGES_WITHIN
  const sound = soundWorkloads(platform, read)
  const look = () =>
    unsettled({
      view: rules.view,
      platform,
      sound,
      now: clock.now,
      live: watch.live,
      isUp: (name) => condition(rules.view.get(Node, name) ?? {}, 'Ready')?.status === 'True',
    } satisfies Scene)
  let found = look()
  while (found.length > 0 && clock.now < deadline) {
    await sandbox.runUntil(clock.now + LOOK_EVERY)
    found = look()
  }
  for (const [invariant, what] of [...found, ...rules.budgets.unsettled()]) violations.add(invariant, what)
}

/** Those that the generator made to run, and whose server starts on every kind of GPU it may come to. */
function soundWorkloads(platform: RandomPlatform, read: Platform): ReadonlySet<RandomWorkload> {
  const servers = findServers(read)
  return new Set(
    platform.workloads.filter((workload) => {
      if (!workload.sound || !workload.server) return workload.sound
      const server = servers.find(
        ({ object: { manifest } }) =>
          manifest.metadata.name === workload.name && manifest.metadata.namespace === workload.namespace,
      )
      return (
        server !== undefined &&
        platform.nodes.every(({ gpu }) => !gpu || resolveOn(server, gpu.product, read).kind === 'runs')
      )
    }),
  )
}

async function tolerated(sandbox: Sandbox, task: Parameters<Sandbox['run']>[1]): Promise<void> {
  try {
    await sandbox.run('kubectl', task)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
