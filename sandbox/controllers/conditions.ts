import type { Condition } from '../kube/objects.ts'

/** The conditions with this one in them; its transition time stays when its status does. */
export function setCondition(conditions: readonly Condition[] = [], condition: Condition): Condition[] {
  const before = conditions.find((c) => c.type === condition.type)
  if (before?.status === condition.status && before.reason === condition.reason && before.message === condition.message)
    return [...conditions]
  const kept =
    before?.status === condition.status ? { ...condition, lastTransitionTime: before.lastTransitionTime } : condition
  return [...conditions.filter((c) => c.type !== condition.type), kept]
}

export const removeCondition = (conditions: readonly Condition[] = [], type: string): Condition[] =>
  conditions.filter((c) => c.type !== type)
