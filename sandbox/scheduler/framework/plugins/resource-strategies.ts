import type { NodeInfo } from '../node-info.ts'
import type { PodFacts } from '../pod-info.ts'

/** A resource a score goes by. */
export interface ResourceWeight {
  readonly name: string
  readonly weight: number
}

/** How NodeResourcesFit ranks nodes. `shape`: scores from 0 to 10 at shares of use in percent, rising. */
export interface ScoringStrategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'
  readonly resources: readonly ResourceWeight[]
  readonly shape?: readonly { readonly utilization: number; readonly score: number }[]
}

type Score = (facts: PodFacts, node: NodeInfo) => number

/** Follows plugins/noderesources/{least_allocated,most_allocated,requested_to_capacity_ratio}.go. */
export function resourceScore({ type, resources, shape = [] }: ScoringStrategy): Score {
  const points = shape.map(({ utilization, score }) => ({ utilization, score: score * 10 }))
  const isRatio = type === 'RequestedToCapacityRatio'
  const scoreOf = isRatio
    ? (used: number, has: number) => onLine(points, used > has ? 100 : Math.trunc((used * 100) / has))
    : type === 'MostAllocated'
      ? (used: number, has: number) => Math.trunc((Math.min(used, has) * 100) / has)
      : (used: number, has: number) => (used > has ? 0 : Math.trunc(((has - used) * 100) / has))
  return (facts, node) => {
    let sum = 0
    let weights = 0
    for (const { name, weight } of resources) {
      const asked = scoredRequest(facts, name)
      const has = allocatableOf(node, name)
      if (has === 0 || (asked === 0 && isScalar(name))) continue
      const score = scoreOf(scoredUse(node, name) + asked, has)
      // what a ratio rates with nothing does not count
      if (isRatio && score <= 0) continue
      sum += score * weight
      weights += weight
    }
    if (weights === 0) return 0
    return isRatio ? Math.round(sum / weights) : Math.trunc(sum / weights)
  }
}

/** The same of NodeResourcesBalancedAllocation; undefined for a pod that requests none of the resources. */
export function balanceScore(names: readonly string[]): { asksAny(facts: PodFacts): boolean; score: Score } {
  return {
    asksAny: (facts) => names.some((name) => requestOf(facts, name) !== 0),
    score(facts, node) {
      const before: number[] = []
      const after: number[] = []
      for (const name of names) {
        const asked = requestOf(facts, name)
        const has = allocatableOf(node, name)
        if (has === 0 || (asked === 0 && isScalar(name))) continue
        const used = useOf(node, name)
        before.push(Math.min(used / has, 1))
        after.push(Math.min((used + asked) / has, 1))
      }
      return 50 + Math.trunc((50 + evenness(after) - evenness(before)) / 2)
    },
  }
}

/** 100 when all shares are the same. Follows balancedResourceScore. */
function evenness(shares: readonly number[]): number {
  let deviation = 0
  if (shares.length === 2) deviation = Math.abs((shares[0]! - shares[1]!) / 2)
  else if (shares.length > 2) {
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
    deviation = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length)
  }
  return Math.trunc((1 - deviation) * 100)
}

/** The value at `x` of lines from point to point, level before the first and after the last. Follows plugins/helper/shape_score.go. */
function onLine(points: readonly { readonly utilization: number; readonly score: number }[], x: number): number {
  for (const [i, point] of points.entries()) {
    if (x > point.utilization) continue
    const last = points[i - 1]
    if (!last) return point.score
    const rise = (point.score - last.score) * (x - last.utilization)
    return last.score + Math.trunc(rise / (point.utilization - last.utilization))
  }
  return points.at(-1)?.score ?? 0
}

const isScalar = (name: string): boolean => name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage'

const scoredRequest = (facts: PodFacts, name: string): number =>
  name === 'cpu' ? facts.scoredMilliCpu : name === 'memory' ? facts.scoredMemoryBytes : requestOf(facts, name)

const scoredUse = (node: NodeInfo, name: string): number =>
  name === 'cpu' ? node.nonZeroMilliCpu : name === 'memory' ? node.nonZeroMemoryBytes : useOf(node, name)

const requestOf = ({ requests }: PodFacts, name: string): number => amountIn(requests, name)
const useOf = ({ requested }: NodeInfo, name: string): number => amountIn(requested, name)
const allocatableOf = ({ allocatable }: NodeInfo, name: string): number => amountIn(allocatable, name)

function amountIn(resource: NodeInfo['allocatable'], name: string): number {
  if (name === 'cpu') return resource.milliCpu
  if (name === 'memory') return resource.memoryBytes
  if (name === 'ephemeral-storage') return resource.ephemeralStorageBytes
  return resource.scalars.get(name) ?? 0
}
