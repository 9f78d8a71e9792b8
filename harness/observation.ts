import type { ApiError } from '../sandbox/kube/errors.ts'
import { Pod } from '../sandbox/kube/kinds.ts'
import type { Us } from '../sandbox/world/time.ts'
import type { World } from '../sandbox/world/world.ts'
import type { Goals } from './converge.ts'
import { type CostMeter, costMeter } from './cost/meter.ts'
import {
  type CheckContext,
  type CheckResult,
  callOf,
  type Expectation,
  type Fold,
  never,
  within,
} from './expectations/check.ts'
import { checks } from './expectations/index.ts'
import { faults } from './faults/index.ts'
import { tenantsOf } from './load/plan.ts'
import type { Load } from './load/simulated-sender.ts'
import { Milestones } from './milestones.ts'
import { ObjectsView } from './objects-view.ts'
import type { TimelineEntry } from './scenario.ts'
import type { Setup } from './setup.ts'
import { isOf } from './subject.ts'
import type { TrialSpec } from './trial-spec.ts'
import { incomplete, workloadOf } from './workload-object.ts'

/** An expectation being followed. */
export interface Followed {
  readonly expectation: Expectation
  readonly describe: string
  readonly fold: Fold
}

export interface BegunLoad {
  readonly sender: Load
  /** When its last step is over. */
  readonly steadyAt: Us
  /** When its first step begins. */
  readonly stepAt: Us | undefined
  /** Replicas' worth of requests that its highest step asks for. */
  readonly peakReplicas: number
}

/** A fault whose effect is looked for. */
export interface Watched {
  readonly fault: string
  readonly describe: string
  readonly fold: Fold
}

/** What the harness sees of a trial: the journal's readers, and where on the main path it stands. */
export interface Observation {
  readonly view: ObjectsView
  readonly followed: readonly Followed[]
  readonly faults: readonly Watched[]
  /** What says why the subject never came up, beside what the scenario asks. */
  readonly comingUp: readonly Followed[]
  readonly rejected: { object: string; error: ApiError } | undefined
  readonly notANumber: string | undefined
  /** Commands a container was to run and nobody here knows, one line each. */
  readonly unmodelled: string[]
  /** What the nodes cost, and how much of them was used. */
  readonly cost: CostMeter
  /** The load, once it has begun. */
  load: BegunLoad | undefined
  settledAt: Us | undefined
  sent: number | undefined
  /** The harness stopped waiting before the platform said yes or no. */
  gaveUp: boolean
  /** The goals with their deadlines, once faults are over. */
  goals: Goals | undefined
  readonly milestones: Milestones
  phase(): string
  enter(phase: string): void
  reject(what: { object: string; error: ApiError }): void
  /** Every workload is complete. */
  settled(): boolean
  /** Those that are not, by key. */
  unsettled(): string[]
  /** A safety expectation is broken for good. */
  broken(): boolean
}

/** A server that never comes up fails every scenario; this is how it is known why. */
const COMING_UP: readonly Expectation[] = [
  never({ check: 'containerRestarted', by: ['liveness', 'startup'], beforeReady: true }),
  within('settle', { check: 'rolloutComplete' }),
]

export function observe(spec: TrialSpec, world: World): Observation {
  const { scenario, setup } = spec
  const view = new ObjectsView()
  let phase = 'up'
  let rejected: Observation['rejected']
  let notANumber: string | undefined
  const unmodelled: string[] = []
  let load: Observation['load']
  let settledAt: Us | undefined
  const milestones = new Milestones(setup.subject)
  const context = contextOf({ spec, world, view, phase: () => phase, load: () => load })
  const cost = costMeter(setup)
  const follow = (expectation: Expectation) => followedBy(expectation, setup, context)
  const followed = [...scenario.during, ...scenario.after].map(follow)
  const asked = new Set(followed.map(({ expectation }) => callOf(expectation).check))
  const comingUp = COMING_UP.filter((expectation) => !asked.has(callOf(expectation).check)).map(follow)
  const watched = scenario.timeline.map((entry) => watchedBy(entry, context))
  const isAboutSubject = (about: string) => {
    const pod = view.get(Pod, about.split('/').slice(0, 2).join('/'))
    return pod !== undefined && isOf(setup.subject, pod)
  }
  const folds = [...followed, ...watched].map((f) => f.fold)
  // nodes are there before anything is looked at
  for (const record of world.journal.records) cost.record(record, view.apply(record))
  world.journal.subscribe((record) => {
    const change = view.apply(record)
    if (record.type === 'request' && (isNoNumber(record.ttftUs) || isNoNumber(record.e2eUs)))
      notANumber ??= `request ${record.id} has a latency that is not a number`
    if (record.type === 'note' && record.text.startsWith('UNMODELLED') && isAboutSubject(record.about))
      unmodelled.push(`${record.about} ${record.text.replace('UNMODELLED ', '')}`)
    if (record.type === 'sample' && Number.isNaN(record.value)) notANumber ??= `${record.metric} is NaN`
    milestones.record(record, change, settledAt !== undefined)
    cost.record(record, change)
    for (const fold of folds) fold.record(record, change)
    if (settledAt === undefined) for (const { fold } of comingUp) fold.record(record, change)
  })
  const safety = followed.filter((f) => !('within' in f.expectation))
  return {
    view,
    followed,
    faults: watched,
    comingUp,
    get rejected() {
      return rejected
    },
    unmodelled,
    get notANumber() {
      return notANumber
    },
    cost,
    get load() {
      return load
    },
    set load(begun) {
      load = begun
    },
    get settledAt() {
      return settledAt
    },
    set settledAt(at) {
      settledAt = at
    },
    sent: undefined,
    gaveUp: false,
    goals: undefined,
    milestones,
    phase: () => phase,
    enter(next) {
      phase = next
      world.journal.append({ type: 'phase', phase })
    },
    reject(what) {
      rejected = what
    },
    settled: () => workloadOf(setup.subject, view) !== undefined && incomplete(view).length === 0,
    unsettled: () => incomplete(view),
    broken: () =>
      safety.some((f) => {
        const { broken, provisional } = f.fold.result()
        return broken !== undefined && !provisional
      }),
  }
}

function followedBy(expectation: Expectation, setup: Setup, context: CheckContext): Followed {
  const call = callOf(expectation)
  const check = checks.get(call.check)
  if (!check) throw new RangeError(`no check named ${call.check}`)
  const values = { ...call, ...(call.check === 'readyFloor' ? { needed: setup.replicasNeeded } : {}) }
  return {
    expectation,
    describe: `${wordOf(expectation)}: ${check.describe(values)}`,
    fold: workedOutOnce(check.start(values, context), context),
  }
}

/** The fold, whose result stays what it is while the trial is judged: nothing comes after that, and several ask for it. */
function workedOutOnce(fold: Fold, { phase }: CheckContext): Fold {
  let final: CheckResult | undefined
  return {
    record: (record, change) => fold.record(record, change),
    result() {
      if (phase() !== 'judge') return fold.result()
      final ??= fold.result()
      return final
    },
  }
}

function watchedBy(entry: TimelineEntry, context: CheckContext): Watched {
  const fault = faults.get(entry.do.fault)
  if (!fault) throw new RangeError(`no fault named ${entry.do.fault}`)
  return { fault: fault.name, describe: fault.describe(entry.do), fold: fault.visible(entry.do, context) }
}

/** What checks know while they read. */
function contextOf(options: {
  readonly spec: TrialSpec
  readonly world: World
  readonly view: ObjectsView
  readonly phase: () => string
  readonly load: () => Observation['load']
}): CheckContext {
  const { spec, world, view, phase, load } = options
  const { scenario, setup } = spec
  return {
    subject: setup.subject,
    view,
    phase,
    now: () => world.clock.now,
    slos: setup.slos,
    alerts: setup.alerts,
    replicasNeeded: setup.replicasNeeded,
    tenants: tenantsOf(scenario.load, setup.workload),
    openRequests: () => load()?.sender.openRequests() ?? [],
    loadSteadyAt: () => load()?.steadyAt,
    loadStepAt: () => load()?.stepAt,
    peakReplicas: () => load()?.peakReplicas,
  }
}

const isNoNumber = (value: number | undefined): boolean => value !== undefined && !Number.isFinite(value)

const wordOf = (expectation: Expectation): string =>
  'never' in expectation ? 'never' : 'always' in expectation ? 'always' : `within ${expectation.within}`
