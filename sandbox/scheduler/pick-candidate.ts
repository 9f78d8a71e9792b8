import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'
import type { PodInfo } from './framework/pod-info.ts'
import { startTime } from './importance.ts'

/** A node and the pods that would have to leave it, the most important first. */
export interface Candidate {
  readonly node: string
  readonly victims: readonly PodInfo[]
  /** Victims whose going breaks a disruption budget. */
  readonly violations: number
}

/**
 * The candidate that hurts least: fewest broken budgets, lowest highest priority, lowest sum of priorities, fewest victims,
 * latest start of the most important victims; then any. Follows pkg/scheduler/framework/preemption pickOneNodeForPreemption,
 * which goes on to the first of a map.
 */
export function pickCandidate(candidates: readonly Candidate[], random: RandomStream, now: Us): Candidate {
  const scores: ((candidate: Candidate) => number)[] = [
    ({ violations }) => -violations,
    ({ victims }) => -victims[0]!.priority,
    // every priority is made positive, so that fewer pods of one negative priority are better than more
    ({ victims }) => -victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
    ({ victims }) => -victims.length,
    ({ victims }) => earliestStart(victims, now),
  ]
  let left = candidates
  for (const score of scores) {
    const all = left.map(score)
    const best = Math.max(...all)
    left = left.filter((_, i) => all[i] === best)
    if (left.length === 1) return left[0]!
  }
  return left[random.int(left.length)]!
}

function earliestStart(victims: readonly PodInfo[], now: Us): Us {
  const highest = Math.max(...victims.map(({ priority }) => priority))
  return Math.min(...victims.filter(({ priority }) => priority === highest).map(({ pod }) => startTime(pod, now)))
}
