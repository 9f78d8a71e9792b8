import type { Condition } from '../kube/objects.ts'

type Conditions = readonly Condition[] | undefined

export const findCondition = (conditions: Conditions, type: string): Condition | undefined =>
  conditions?.find((c) => c.type === type)

/**
 * The conditions with this one in them. One with the same status and reason stays as it is; its transition time stays while
 * the status does. Follows SetDeploymentCondition in pkg/controller/deployment/util/deployment_util.go.
 */
export function setCondition(conditions: Conditions, condition: Condition): Condition[] {
  const before = findCondition(conditions, condition.type)
  if (before?.status === condition.status && before.reason === condition.reason) return [...conditions!]
  const kept =
    before?.status === condition.status ? { ...condition, lastTransitionTime: before.lastTransitionTime } : condition
  return [...removeCondition(conditions, condition.type), kept]
}

export const removeCondition = (conditions: Conditions, type: string): Condition[] =>
  (conditions ?? []).filter((c) => c.type !== type)
