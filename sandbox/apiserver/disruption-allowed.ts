import type * as o from '../kube/objects.ts'
import { condition } from '../kube/pods.ts'
import { toRfc3339, type Us } from '../world/time.ts'

type Status = o.PodDisruptionBudget['status']

/** The status with the condition that follows from its count. Follows k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go. */
export const withDisruptionAllowed = (status: Status, now: Us): Status =>
  withBudgetCondition(status, conditionFor(status), now)

/** Whether the condition says what it should. */
export function saysDisruptionAllowed({ metadata, status }: o.PodDisruptionBudget): boolean {
  const found = condition({ status }, 'DisruptionAllowed')
  const wanted = conditionFor(status)
  if (!found || (status.observedGeneration ?? 0) !== (metadata.generation ?? 0)) return false
  return found.status === wanted.status && found.reason === wanted.reason
}

type Wanted = Pick<o.Condition, 'status' | 'reason' | 'message'>

const conditionFor = ({ disruptionsAllowed }: Status): Wanted =>
  disruptionsAllowed > 0
    ? { status: 'True', reason: 'SufficientPods', message: '' }
    : { status: 'False', reason: 'InsufficientPods', message: '' }

/** Sets the condition `DisruptionAllowed`. Follows k8s.io/apimachinery/pkg/api/meta/conditions.go SetStatusCondition. */
export function withBudgetCondition(status: Status, wanted: Wanted, now: Us): Status {
  const before = condition({ status }, 'DisruptionAllowed')
  const made: o.Condition = {
    type: 'DisruptionAllowed',
    ...wanted,
    lastTransitionTime: before?.status === wanted.status ? before.lastTransitionTime : toRfc3339(now),
    ...(status.observedGeneration ? { observedGeneration: status.observedGeneration } : {}),
  }
  const conditions = status.conditions ?? []
  return { ...status, conditions: before ? conditions.map((c) => (c === before ? made : c)) : [...conditions, made] }
}
