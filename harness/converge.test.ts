import { describe, expect, it } from 'vitest'
import { minutes, seconds, type Us } from '../sandbox/world/time.ts'
import { Goals } from './converge.ts'
import type { CheckResult } from './expectations/check.ts'
import type { Followed, Observation } from './observation.ts'
import type { Setup } from './setup.ts'

const SETTLED = minutes(10)

/** An observation with one goal whose result is what `result` says at the moment. */
function goal(bound: string, more: Partial<Observation> = {}) {
  let result: CheckResult = { samples: 1 }
  const followed = {
    expectation: { within: bound, goal: { check: 'x' } },
    describe: 'a goal',
    fold: { record: () => undefined, result: () => result },
  } as Followed
  const observation = { followed: [followed], settledAt: SETTLED, milestones: {}, ...more } as unknown as Observation
  const goals = new Goals(observation, {} as Setup, minutes(20))
  const look = (now: Us, seen: Partial<CheckResult>) => {
    result = { samples: 1, ...seen }
    goals.look(now)
  }
  return { goals, look, late: () => goals.late(followed) }
}

const missing = { at: 0, cause: 'not-there', what: 'one of two is there', evidence: [] }

describe('a goal and its deadline', () => {
  it('reached at the deadline is reached, also where it is known later', () => {
    const { goals, look, late } = goal('5m', { milestones: { lastFaultAt: minutes(12) } as never })
    expect(goals.ended(minutes(17) - 1)).toBe(false)
    expect(goals.ended(minutes(17))).toBe(true)
    look(minutes(17), { missing })
    look(minutes(18), { reachedAt: minutes(17) })
    expect(late()).toBeUndefined()
  })

  it('reached a moment after it is not: what stood in the way then is why', () => {
    const { look, late } = goal('5m', { milestones: { lastFaultAt: minutes(12) } as never })
    look(minutes(17), { missing })
    look(minutes(18), { reachedAt: minutes(17) + seconds(1) })
    expect(late()).toMatchObject({ cause: 'not-there', what: 'one of two is there (reached 1s too late)' })
  })

  it('reached in time, lost and reached again is reached', () => {
    const { look, late } = goal('5m', { milestones: { lastFaultAt: minutes(12) } as never })
    look(minutes(15), { reachedAt: minutes(14) })
    look(minutes(16), { missing })
    look(minutes(19), { reachedAt: minutes(18) })
    expect(late()).toBeUndefined()
  })

  it.each<[string, Partial<Observation>, Partial<CheckResult>, Us]>([
    [
      'the last fault, although the load goes on',
      { milestones: { lastFaultAt: minutes(12) } as never, load: { steadyAt: minutes(16) } as never },
      {},
      minutes(12),
    ],
    ["the load's last step where there is no fault", { load: { steadyAt: minutes(16) } as never }, {}, minutes(16)],
    ['the settled platform where there is neither', {}, {}, SETTLED],
    [
      'what the goal says',
      { milestones: { lastFaultAt: minutes(12) } as never },
      { sinceUs: minutes(13) },
      minutes(13),
    ],
  ])('counts from %s', (_, observation, result, since) => {
    const edge = since + minutes(5)
    const inTime = goal('5m', observation)
    inTime.look(edge, { ...result, reachedAt: edge })
    expect(inTime.late()).toBeUndefined()
    const tooLate = goal('5m', observation)
    tooLate.look(edge + 1, { ...result, reachedAt: edge + 1 })
    expect(tooLate.late()).toMatchObject({ cause: 'reached-late' })
  })

  it('of a rollout passes when its Deployment says so, and not before', () => {
    const observation = { milestones: { deadlineExceededAt: minutes(20) } as never }
    const late = goal('progressDeadline', observation)
    expect(late.goals.ended(minutes(20))).toBe(true)
    late.look(minutes(20), { missing })
    late.look(minutes(21), { reachedAt: minutes(21) })
    expect(late.late()?.what).toBe('one of two is there (reached 1m00s too late)')
    const first = goal('progressDeadline', observation)
    first.look(minutes(21), { reachedAt: minutes(20) })
    expect(first.late()).toBeUndefined()
  })
})
