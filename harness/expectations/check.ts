import type { JournalRecord } from '../../sandbox/journal/record.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { SurveyedAlert } from '../alerts/survey.ts'
import type { OpenRequest } from '../load/simulated-sender.ts'
import type { Change, ObjectsView } from '../objects-view.ts'
import type { Slos } from '../slo/objective.ts'
import type { Subject } from '../subject.ts'

/** Something seen, with when and on what: the reason anyone may believe a verdict. */
export interface Evidence {
  readonly at: Us
  /** `Pod default/vllm-7c9-x2`, or the name of a series. */
  readonly about: string
  readonly text: string
}

/** What a check knows while it reads. */
export interface CheckContext {
  readonly subject: Subject
  readonly view: ObjectsView
  /** The trial's phase now: `settle`, `timeline`, `converge`. */
  phase(): string
  now(): Us
  /** What was promised to the subject's clients. */
  readonly slos: Slos
  /** Replicas the load needs; 0 where others answer behind the same Service. */
  readonly replicasNeeded: number
  /** Kinds of clients the load has, by name; empty where they are all alike. */
  readonly tenants: readonly string[]
  /** The platform's alerts. */
  readonly alerts: readonly SurveyedAlert[]
  /** Requests sent and not answered to their end. */
  openRequests(): Iterable<OpenRequest>
  /** When the load's last step is over; undefined before the load. */
  loadSteadyAt(): Us | undefined
  /** When its first step begins; undefined before the load, and without steps. */
  loadStepAt(): Us | undefined
  /** Replicas' worth of requests that its highest step asks for; undefined before the load. */
  peakReplicas(): number | undefined
}

/** A fold over the journal. `record` is called for every record, after the view has it. */
export interface Fold {
  record(record: JournalRecord, change: Change | undefined): void
  result(): CheckResult
}

/** What a fold has seen so far. */
export interface CheckResult {
  /** How many things it looked at. None: the check has nothing to say, and the trial is INVALID. */
  readonly samples: number
  /** The first time the condition was broken (`never`, `always`), and what shows it. */
  readonly broken?: Broken
  /** The break may still heal: a share that more samples can bring down. */
  readonly provisional?: boolean
  /** Since when the goal holds without a break (`within`). */
  readonly reachedAt?: Us
  /** From when its bound counts; left out: from the last fault, or from the load's last step where there is none. */
  readonly sinceUs?: Us
  /** What stands in the way of the goal. */
  readonly missing?: Broken
  /** Why it has nothing to say although the trial ran: the trial is INVALID. */
  readonly unjudged?: { readonly what: string; readonly fix: string }
  /** A sentence about what was seen, for a check that held. */
  readonly summary?: string
}

export interface Broken {
  readonly at: Us
  /** A stable name of the cause, which remedies look for: `startup-probe-kills-loading`. */
  readonly cause: string
  readonly what: string
  /** The container it is about, where that may be another than the server's. */
  readonly container?: string
  /** Replicas that would have been enough, where the number is the trouble. */
  readonly wanted?: number
  /** The most requests that one replica ran at once while others waited. */
  readonly batch?: number
  /** How many at once would have fitted, where too many were the trouble. */
  readonly fits?: number
  /** How long it would have taken, where time is what was too short. */
  readonly neededUs?: Us
  readonly evidence: readonly Evidence[]
}

/** One kind of expectation. Adding one is adding a file beside this one. */
export interface Check<Params = unknown> {
  readonly name: string
  /** One line for `scenarios --describe`. */
  describe(params: Params): string
  start(params: Params, context: CheckContext): Fold
}

/** An expectation as a scenario writes it: JSON. */
export type Expectation =
  | { readonly never: CheckCall }
  | { readonly always: CheckCall }
  | { readonly within: string; readonly goal: CheckCall }

export interface CheckCall {
  readonly check: string
  readonly [param: string]: unknown
}

export const never = (goal: CheckCall): Expectation => ({ never: goal })
export const always = (goal: CheckCall): Expectation => ({ always: goal })
/** `bound`: a duration, or the name of one the platform declares (`progressDeadline`). */
export const within = (bound: string, goal: CheckCall): Expectation => ({ within: bound, goal })

/** The check an expectation asks for. */
export const callOf = (expectation: Expectation): CheckCall =>
  'never' in expectation ? expectation.never : 'always' in expectation ? expectation.always : expectation.goal

/** A word's arguments: none are needed where every parameter is optional. */
export type WordArguments<Params> = Record<never, never> extends Params ? [params?: Params] : [params: Params]

/** How scenarios say it: `never(gpusIdle())`. */
export const checkWord =
  <Params>({ name }: Check<Params>) =>
  (...[params]: WordArguments<Params>): CheckCall => ({ check: name, ...params })

/** Declares a check. */
export const check = <Params>(spec: Check<Params>): Check<Params> => spec
