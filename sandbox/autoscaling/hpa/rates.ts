import type { HorizontalPodAutoscaler, ScalingRules } from '../../kube/objects.ts'
import { seconds, type Us } from '../../world/time.ts'
import { int32, MAX_INT32 } from './go-numbers.ts'
import { listAt, type Memory, putInPlace, type ScaleEvent } from './memory.ts'

// How fast replicas may come and go. Follows pkg/controller/podautoscaler/horizontal.go (1.36).

const MIN_INT32 = -(2 ** 31)

/** Replicas that a behaviour allows at most. Follows calculateScaleUpLimitWithScalingRules. */
export function scaleUpLimit(
  current: number,
  ups: readonly ScaleEvent[],
  downs: readonly ScaleEvent[],
  now: Us,
  rules: ScalingRules,
): number {
  const { selectPolicy } = rules
  if (selectPolicy === 'Disabled') return current
  const limits = limitsOf(
    rules,
    current,
    { ups, downs, now },
    {
      pods: (start, value) => start + value,
      percent: (start, value) => int32(Math.ceil(start * (1 + value / 100))),
    },
  )
  return selectPolicy === 'Min' ? Math.min(MAX_INT32, ...limits) : Math.max(MIN_INT32, ...limits)
}

/** Replicas that a behaviour wants to be left. Follows calculateScaleDownLimitWithBehaviors. */
export function scaleDownLimit(
  current: number,
  ups: readonly ScaleEvent[],
  downs: readonly ScaleEvent[],
  now: Us,
  rules: ScalingRules,
): number {
  const { selectPolicy } = rules
  if (selectPolicy === 'Disabled') return current
  const limits = limitsOf(
    rules,
    current,
    { ups, downs, now },
    {
      pods: (start, value) => start - value,
      percent: (start, value) => int32(start * (1 - value / 100)),
    },
  )
  return selectPolicy === 'Min' ? Math.max(MIN_INT32, ...limits) : Math.min(MAX_INT32, ...limits)
}

interface Proposals {
  pods(start: number, value: number): number
  percent(start: number, value: number): number
}

/** What each policy comes to, from the replicas there were at the start of its period. */
function limitsOf(
  { policies }: ScalingRules,
  current: number,
  { ups, downs, now }: { ups: readonly ScaleEvent[]; downs: readonly ScaleEvent[]; now: Us },
  proposals: Proposals,
): number[] {
  return policies.map(({ type, value, periodSeconds }) => {
    const start = current - changed(ups, periodSeconds, now) + changed(downs, periodSeconds, now)
    return (type === 'Pods' ? proposals.pods(start, value) : proposals.percent(start, value)) | 0
  })
}

function changed(events: readonly ScaleEvent[], periodSeconds: number, now: Us): number {
  let total = 0
  for (const { at, change } of events) if (at > now - seconds(periodSeconds)) total += change
  return total
}

/** Remembers that replicas came or went. Follows storeScaleEvent. */
export function rememberScale(
  memory: Memory,
  key: string,
  behavior: HorizontalPodAutoscaler['spec']['behavior'],
  change: { readonly from: number; readonly to: number; readonly now: Us },
): void {
  if (!behavior) return
  const { from, to, now } = change
  const up = to > from
  const events = listAt(up ? memory.scaleUps : memory.scaleDowns, key)
  const { policies } = up ? behavior.scaleUp : behavior.scaleDown
  const longest = Math.max(0, ...policies.map(({ periodSeconds }) => periodSeconds))
  for (const event of events) if (event.at < now - seconds(longest)) event.outdated = true
  putInPlace(events, { change: Math.abs(to - from), at: now, outdated: false }, ({ outdated }) => outdated)
}
