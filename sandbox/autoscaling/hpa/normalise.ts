import type { HorizontalPodAutoscaler } from '../../kube/objects.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { Told } from './conditions.ts'
import { int32 } from './go-numbers.ts'
import { listAt, type Memory, putInPlace } from './memory.ts'
import { scaleDownLimit, scaleUpLimit } from './rates.ts'

/** What is to be made of a wanted number of replicas. */
export interface Normalisation {
  readonly key: string
  readonly memory: Memory
  readonly behavior: HorizontalPodAutoscaler['spec']['behavior']
  readonly current: number
  /** What the metrics ask for. */
  readonly wanted: number
  readonly min: number
  readonly max: number
  readonly now: Us
  /** Where the behaviour has no window for scale-down. */
  readonly downscaleStabilization: Us
}

export interface Normalised {
  readonly replicas: number
  /** AbleToScale and ScalingLimited, in this order. */
  readonly conditions: readonly Told[]
}

interface Limited {
  readonly replicas: number
  readonly reason: string
  readonly message: string
}

const READY = ['ReadyForNewScale', 'recommended size matches current size'] as const
const STABILIZED_UP = [
  'ScaleUpStabilized',
  'recent recommendations were lower than current one, applying the lowest recent recommendation',
] as const
const STABILIZED_DOWN = [
  'ScaleDownStabilized',
  'recent recommendations were higher than current one, applying the highest recent recommendation',
] as const

const WITHIN = ['DesiredWithinRange', 'the desired count is within the acceptable range'] as const
const TOO_FEW = ['TooFewReplicas', 'the desired replica count is less than the minimum replica count'] as const
const TOO_MANY = ['TooManyReplicas', 'the desired replica count is more than the maximum replica count'] as const
const TOO_FAST_UP = [
  'ScaleUpLimit',
  'the desired replica count is increasing faster than the maximum scale rate',
] as const
const TOO_FAST_DOWN = [
  'ScaleDownLimit',
  'the desired replica count is decreasing faster than the maximum scale rate',
] as const

/**
 * Replicas after stabilisation, rates and bounds; remembers the recommendation.
 * Follows pkg/controller/podautoscaler/horizontal.go normalizeDesiredReplicas and normalizeDesiredReplicasWithBehaviors.
 */
export function normalise(asked: Normalisation): Normalised {
  const { wanted, behavior } = asked
  const [stable, [reason, message]] = behavior ? stabilisedBy(behavior, asked) : stabilised(asked)
  const limited = behavior ? limitedBy(behavior, asked, stable) : limitedByDefault(asked, stable)
  const [ableReason, ableMessage] = stable === wanted ? READY : [reason, message]
  return {
    replicas: limited.replicas,
    conditions: [
      { type: 'AbleToScale', status: 'True', reason: ableReason, message: ableMessage },
      {
        type: 'ScalingLimited',
        status: limited.replicas === stable ? 'False' : 'True',
        reason: limited.reason,
        message: limited.message,
      },
    ],
  }
}

/** Follows stabilizeRecommendation. */
function stabilised({ key, memory, wanted, now, downscaleStabilization }: Normalisation) {
  const cutoff = now - downscaleStabilization
  const known = listAt(memory.recommendations, key)
  let highest = wanted
  for (const { at, replicas } of known) if (at >= cutoff) highest = Math.max(highest, replicas)
  putInPlace(known, { replicas: wanted, at: now }, ({ at }) => at < cutoff)
  return [highest, STABILIZED_DOWN] as const
}

/** Follows stabilizeRecommendationWithBehaviors. */
function stabilisedBy(behavior: NonNullable<Normalisation['behavior']>, asked: Normalisation) {
  const { key, memory, wanted, current, now, downscaleStabilization } = asked
  const { scaleUp, scaleDown } = behavior
  const upCutoff = now - seconds(scaleUp.stabilizationWindowSeconds ?? 0)
  const downWindow = scaleDown.stabilizationWindowSeconds
  const downCutoff = now - (downWindow === undefined ? wholeSeconds(downscaleStabilization) : seconds(downWindow))
  let [lowest, highest] = [wanted, wanted]
  const known = listAt(memory.recommendations, key)
  for (const { at, replicas } of known) {
    if (at > upCutoff) lowest = Math.min(lowest, replicas)
    if (at > downCutoff) highest = Math.max(highest, replicas)
  }
  putInPlace(known, { replicas: wanted, at: now }, ({ at }) => at < upCutoff && at < downCutoff)
  const stable = Math.min(Math.max(current, lowest), highest)
  return [stable, wanted >= current ? STABILIZED_UP : STABILIZED_DOWN] as const
}

const wholeSeconds = (duration: Us): Us => seconds(Math.trunc(duration / 1e6))

/** Follows convertDesiredReplicasWithRules. */
function limitedByDefault({ current, min, max }: Normalisation, wanted: number): Limited {
  const fastest = int32(Math.max(2 * current, 4))
  if (wanted < min) return limit(min, TOO_FEW)
  if (wanted > Math.min(max, fastest)) return max > fastest ? limit(fastest, TOO_FAST_UP) : limit(max, TOO_MANY)
  return limit(wanted, WITHIN)
}

/** Follows convertDesiredReplicasWithBehaviorRate. */
function limitedBy(
  { scaleUp, scaleDown }: NonNullable<Normalisation['behavior']>,
  { key, memory, current, min, max, now }: Normalisation,
  wanted: number,
): Limited {
  const ups = memory.scaleUps.get(key) ?? []
  const downs = memory.scaleDowns.get(key) ?? []
  if (wanted > current) {
    const most = Math.max(current, scaleUpLimit(current, ups, downs, now, scaleUp))
    if (wanted > Math.min(max, most)) return max > most ? limit(most, TOO_FAST_UP) : limit(max, TOO_MANY)
  } else if (wanted < current) {
    const least = Math.min(current, scaleDownLimit(current, ups, downs, now, scaleDown))
    if (wanted < Math.max(min, least)) return min < least ? limit(least, TOO_FAST_DOWN) : limit(min, TOO_FEW)
  }
  return limit(wanted, WITHIN)
}

const limit = (replicas: number, [reason, message]: readonly [string, string]): Limited => ({
  replicas,
  reason,
  message,
})
