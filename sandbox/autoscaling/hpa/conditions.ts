import type { Condition } from '../../kube/objects.ts'
import { toRfc3339, type Us } from '../../world/time.ts'

export type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited' | 'ScaledToZero'

export interface Told {
  readonly type: ConditionType
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** The conditions with this one in its place, or last. Its time changes with its status. Follows horizontal.go setConditionInList. */
export function withCondition(conditions: readonly Condition[], told: Told, now: Us): Condition[] {
  const at = conditions.findIndex(({ type }) => type === told.type)
  const before = conditions[at]
  const { type, ...rest } = told
  const lastTransitionTime = before && before.status === told.status ? before.lastTransitionTime : toRfc3339(now)
  const made: Condition = { ...rest, type, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }
  return before ? conditions.with(at, made) : [...conditions, made]
}

export const withoutCondition = (conditions: readonly Condition[], type: ConditionType): Condition[] =>
  conditions.filter((condition) => condition.type !== type)
