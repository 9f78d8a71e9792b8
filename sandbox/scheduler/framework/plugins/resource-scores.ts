import type { NodeInfo } from '../node-info.ts'
import type { PodFacts } from '../pod-info.ts'

const SCORE_MAX = 100

/** The mean of the free shares of cpu and memory once the pod runs there. Follows plugins/noderesources/least_allocated.go. */
export function leastAllocated(
  facts: PodFacts,
  { allocatable, nonZeroMilliCpu, nonZeroMemoryBytes }: NodeInfo,
): number {
  let sum = 0
  let weights = 0
  if (allocatable.milliCpu !== 0) {
    sum += freeShare(nonZeroMilliCpu + facts.scoredMilliCpu, allocatable.milliCpu)
    weights++
  }
  if (allocatable.memoryBytes !== 0) {
    sum += freeShare(nonZeroMemoryBytes + facts.scoredMemoryBytes, allocatable.memoryBytes)
    weights++
  }
  return weights === 0 ? 0 : Math.trunc(sum / weights)
}

/** How much the pod brings the used shares of cpu and memory together: 75 not at all. Follows plugins/noderesources/balanced_allocation.go. */
export function balancedAllocation({ requests }: PodFacts, { allocatable, requested }: NodeInfo): number {
  const after = balance(
    requested.milliCpu + requests.milliCpu,
    requested.memoryBytes + requests.memoryBytes,
    allocatable.milliCpu,
    allocatable.memoryBytes,
  )
  const before = balance(requested.milliCpu, requested.memoryBytes, allocatable.milliCpu, allocatable.memoryBytes)
  return SCORE_MAX / 2 + Math.trunc((SCORE_MAX / 2 + after - before) / 2)
}

const freeShare = (requested: number, capacity: number): number =>
  requested > capacity ? 0 : Math.trunc(((capacity - requested) * SCORE_MAX) / capacity)

/** 100 when cpu and memory are used to the same share, 50 when one is used up and the other not at all. */
function balance(milliCpu: number, memoryBytes: number, cpuCapacity: number, memoryCapacity: number): number {
  if (cpuCapacity === 0 || memoryCapacity === 0) return SCORE_MAX
  const cpuShare = Math.min(milliCpu / cpuCapacity, 1)
  const memoryShare = Math.min(memoryBytes / memoryCapacity, 1)
  return Math.trunc((1 - Math.abs((cpuShare - memoryShare) / 2)) * SCORE_MAX)
}
