import { condition } from '../sandbox/kube/pods.ts'
import { parseDuration, seconds, type Us } from '../sandbox/world/time.ts'
import type { Observation } from './observation.ts'
import type { Scenario } from './scenario.ts'
import type { Setup } from './setup.ts'
import { deploymentOf } from './subject.ts'

/** Every goal holds now. */
export const goalsReached = (observation: Observation): boolean =>
  observation.followed.every((f) => !('within' in f.expectation) || f.fold.result().reachedAt !== undefined)

/**
 * When waiting for the goals ends. `progressDeadline` is over when the Deployment's own controller says so (it counts from the last
 * progress), `settle` when a platform should have settled by then, a duration when it has passed.
 */
export function boundOf(
  scenario: Scenario,
  observation: Observation,
  setup: Setup,
  settleBoundUs: Us,
): { exceeded(now: Us): boolean } {
  const names = scenario.after.flatMap((e) => ('within' in e ? [e.within] : []))
  let start: Us | undefined
  const limit = Math.max(0, ...names.map((name) => limitOf(name, observation, setup, settleBoundUs)))
  return {
    exceeded(now) {
      start ??= now
      if (names.includes('progressDeadline')) {
        const deployment = deploymentOf(setup.subject, observation.view)
        const progressing = deployment && condition(deployment, 'Progressing')
        if (progressing?.reason === 'ProgressDeadlineExceeded') return true
      }
      return now - start >= limit
    },
  }
}

function limitOf(name: string, observation: Observation, setup: Setup, settleBoundUs: Us): Us {
  if (name === 'settle') return settleBoundUs
  if (name !== 'progressDeadline') return parseDuration(name)
  const deployment = deploymentOf(setup.subject, observation.view)
  const { progressDeadlineSeconds = 600, replicas = 1 } = deployment?.spec ?? {}
  // each replica may use up the deadline, since every step of progress starts it anew
  return seconds(progressDeadlineSeconds) * (replicas + 1)
}
