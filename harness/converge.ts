import { formatDuration, parseDuration, seconds, type Us } from '../sandbox/world/time.ts'
import type { Broken, CheckResult } from './expectations/check.ts'
import type { Followed, Observation } from './observation.ts'
import { recoveryTime } from './scaling/scale-out-time.ts'
import type { Setup } from './setup.ts'
import { workloadOf } from './workload-object.ts'

/** A goal and what came of it. */
interface Goal {
  readonly followed: Followed
  readonly bound: string
  /** It was reached before its deadline. */
  inTime: boolean
  /** What stood in its way when its deadline passed. */
  missing: Broken | undefined
  passed: boolean
}

/**
 * The goals of a scenario (`within`) and their deadlines. Each counts from the last fault (where it was healed: from then on), from the
 * load's last step where there is no fault, or from what the goal itself says. The bound `progressDeadline` is over when the
 * Deployment's own controller says so (it counts from the last progress), `settle` when a platform should have settled by then,
 * `scaleOut` when another replica should have come and served off what waited for it, a duration when it has passed.
 */
export class Goals {
  private readonly goals: readonly Goal[]
  private readonly observation: Observation
  private readonly setup: Setup
  private readonly settleBoundUs: Us

  constructor(observation: Observation, setup: Setup, settleBoundUs: Us) {
    this.observation = observation
    this.setup = setup
    this.settleBoundUs = settleBoundUs
    this.goals = observation.followed.flatMap((followed): Goal[] =>
      'within' in followed.expectation
        ? [{ followed, bound: followed.expectation.within, inTime: false, missing: undefined, passed: false }]
        : [],
    )
  }

  /** Looks at the goals that were not reached in time yet. To be called every now and then. */
  look(now: Us): void {
    for (const goal of this.goals) {
      if (goal.inTime) continue
      const result = goal.followed.fold.result()
      const deadline = this.deadline(goal, result)
      if (result.reachedAt !== undefined && result.reachedAt <= deadline) goal.inTime = true
      else if (now >= deadline && !goal.passed) {
        goal.passed = true
        goal.missing = result.missing
      }
    }
  }

  /** Every goal holds now. */
  reached(): boolean {
    return this.goals.every(({ followed }) => followed.fold.result().reachedAt !== undefined)
  }

  /** No goal can be reached in time any more, or the harness waits no longer. */
  ended(now: Us): boolean {
    if (this.observation.milestones.deadlineExceededAt !== undefined) return true
    return this.goals.every((goal) => now >= this.since(goal.followed.fold.result()) + this.limit(goal))
  }

  /** The wait is over although the platform has said neither yes nor no. */
  gaveUp(now: Us): boolean {
    const { deadlineExceededAt } = this.observation.milestones
    return (
      this.goals.some(({ bound }) => bound === PROGRESS) &&
      deadlineExceededAt === undefined &&
      this.ended(now) &&
      !this.reached()
    )
  }

  /** Why a goal that holds in the end was reached too late; undefined where it was not. */
  late(followed: Followed): Broken | undefined {
    const goal = this.goals.find((one) => one.followed === followed)
    if (!goal || goal.inTime) return undefined
    const result = followed.fold.result()
    const { reachedAt } = result
    const deadline = this.deadline(goal, result)
    if (reachedAt === undefined || reachedAt <= deadline) return undefined
    const afterwards = `reached ${formatDuration(reachedAt - deadline)} too late`
    return goal.missing
      ? { ...goal.missing, what: `${goal.missing.what} (${afterwards})` }
      : { at: reachedAt, cause: 'reached-late', what: `${followed.describe}: ${afterwards}`, evidence: [] }
  }

  private deadline(goal: Goal, result: CheckResult): Us {
    if (goal.bound === PROGRESS) return this.observation.milestones.deadlineExceededAt ?? Number.POSITIVE_INFINITY
    return this.since(result) + this.limit(goal)
  }

  private since({ sinceUs }: CheckResult): Us {
    const { settledAt = 0, milestones, load } = this.observation
    return sinceUs ?? Math.max(settledAt, milestones.lastFaultAt ?? load?.steadyAt ?? 0)
  }

  private limit({ bound }: Goal): Us {
    const { setup } = this
    if (bound === 'settle') return this.settleBoundUs
    if (bound === 'scaleOut') return recoveryTime(setup)
    if (bound !== PROGRESS) return parseDuration(bound)
    const workload = workloadOf(setup.subject, this.observation.view)
    const replicas = workload?.spec.replicas ?? 1
    const { progressDeadlineSeconds = 600 } = workload?.kind === 'Deployment' ? workload.spec : {}
    // only a backstop: each replica makes several steps of progress, and every one starts the deadline anew
    return seconds(progressDeadlineSeconds) * 4 * (replicas + 1)
  }
}

const PROGRESS = 'progressDeadline'
