import { condition } from '../sandbox/kube/pods.ts'
import { parseDuration, seconds, type Us } from '../sandbox/world/time.ts'
import type { Observation } from './observation.ts'
import { recoveryTime } from './scaling/scale-out-time.ts'
import type { Scenario } from './scenario.ts'
import type { Setup } from './setup.ts'
import { workloadOf } from './workload-object.ts'

/** Every goal holds now. */
export const goalsReached = (observation: Observation): boolean =>
  observation.followed.every((f) => !('within' in f.expectation) || f.fold.result().reachedAt !== undefined)

/** When waiting ends, and whether it ended without the platform having said yes or no. */
export interface Bound {
  ended(now: Us): boolean
  gaveUp(now: Us): boolean
}

/**
 * When waiting for the goals ends. `progressDeadline` is over when the Deployment's own controller says so (it counts from the last
 * progress), `settle` when a platform should have settled by then, `scaleOut` when another replica should have come and served off what
 * waited for it, a duration when it has passed.
 */
export function boundOf(
  start: Us,
  scenario: Scenario,
  observation: Observation,
  setup: Setup,
  settleBoundUs: Us,
): Bound {
  const names = scenario.after.flatMap((e) => ('within' in e ? [e.within] : []))
  const limit = Math.max(0, ...names.map((name) => limitOf(name, observation, setup, settleBoundUs)))
  const deadlineExceeded = () => {
    const workload = names.includes('progressDeadline') ? workloadOf(setup.subject, observation.view) : undefined
    return workload !== undefined && condition(workload, 'Progressing')?.reason === 'ProgressDeadlineExceeded'
  }
  const over = (now: Us) => now - start >= limit
  return {
    ended: (now) => deadlineExceeded() || over(now),
    gaveUp: (now) => names.includes('progressDeadline') && over(now) && !deadlineExceeded(),
  }
}

function limitOf(name: string, observation: Observation, setup: Setup, settleBoundUs: Us): Us {
  if (name === 'settle') return settleBoundUs
  if (name === 'scaleOut') return recoveryTime(setup)
  if (name !== 'progressDeadline') return parseDuration(name)
  const workload = workloadOf(setup.subject, observation.view)
  const replicas = workload?.spec.replicas ?? 1
  const { progressDeadlineSeconds = 600 } = workload?.kind === 'Deployment' ? workload.spec : {}
  // only a backstop: each replica makes several steps of progress, and every one starts the deadline anew
  return seconds(progressDeadlineSeconds) * 4 * (replicas + 1)
}
