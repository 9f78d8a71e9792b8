import { diff } from '../../journal/merge-patch.ts'
import { keyOf, ScaledObject } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'

type Type = o.KedaCondition['type']

export const conditionOf = (
  conditions: readonly o.KedaCondition[] | undefined,
  type: Type,
): o.KedaCondition | undefined => conditions?.find((condition) => condition.type === type)

/** Sets one condition; a new type comes last. Follows apis/keda/v1alpha1/condition_types.go. */
export function withCondition(
  conditions: readonly o.KedaCondition[],
  type: Type,
  status: o.KedaCondition['status'],
  reason: string,
  message: string,
): o.KedaCondition[] {
  const condition: o.KedaCondition = { type, status, reason, message }
  return conditions.some((known) => known.type === type)
    ? conditions.map((known) => (known.type === type ? condition : known))
    : [...conditions, condition]
}

export const INITIAL_CONDITIONS: readonly o.KedaCondition[] = [
  { type: 'Ready', status: 'Unknown' },
  { type: 'Active', status: 'Unknown' },
  { type: 'Fallback', status: 'Unknown' },
  { type: 'Paused', status: 'False' },
]

export const areInitialized = (conditions: readonly o.KedaCondition[] | undefined): boolean =>
  INITIAL_CONDITIONS.every(({ type }) => conditionOf(conditions, type))

/** Sends what differs between the object's status and `status`; gives the object as the server has it then. Fails with an ApiError. */
// follows pkg/status/update.go
export function* patchStatus(object: o.ScaledObject, status: o.ScaledObjectStatus, kube: Kube): Task<o.ScaledObject> {
  const change = diff(object.status ?? {}, status)
  if (change === undefined) return object
  return yield* kube.patch(ScaledObject, keyOf(object), { status: change }, { subresource: 'status' })
}
