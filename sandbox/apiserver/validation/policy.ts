import type * as o from '../../kube/objects.ts'
import { type Causes, invalids, invalidValue, nonnegative, notSupported } from './field.ts'
import { labelSelector, objectMeta, objectMetaUpdate, shownSelector } from './meta.ts'
import { dns1123Subdomain, percent } from './names.ts'

/** Follows pkg/apis/policy/validation/validation.go ValidatePodDisruptionBudget. */
export const disruptionBudget = ({ metadata, spec }: o.PodDisruptionBudget): Causes => [
  ...objectMeta(metadata, dns1123Subdomain),
  ...budgetSpec(spec),
]

export const disruptionBudgetUpdate = (object: o.PodDisruptionBudget, before: o.PodDisruptionBudget): Causes => [
  ...objectMetaUpdate(object.metadata, before.metadata),
  ...budgetSpec(object.spec),
]

/** Follows ValidatePodDisruptionBudgetStatusUpdate. */
export const disruptionBudgetStatus = (object: o.PodDisruptionBudget, before: o.PodDisruptionBudget): Causes => [
  ...objectMetaUpdate(object.metadata, before.metadata),
  ...(['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const).flatMap((field) =>
    nonnegative(object.status?.[field], `status.${field}`),
  ),
]

function budgetSpec(spec: o.PodDisruptionBudget['spec']): Causes {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec
  return [
    ...(minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalidValue('spec', shownSpec(spec), 'minAvailable and maxUnavailable cannot be both set')]
      : []),
    ...(minAvailable === undefined ? [] : amount(minAvailable, 'spec.minAvailable')),
    ...(maxUnavailable === undefined ? [] : amount(maxUnavailable, 'spec.maxUnavailable')),
    ...labelSelector(selector, 'spec.selector'),
    ...(policy === undefined || POLICIES.includes(policy)
      ? []
      : [notSupported('spec.unhealthyPodEvictionPolicy', policy, POLICIES)]),
  ]
}

const POLICIES = ['AlwaysAllow', 'IfHealthyBudget']

/** A count, or a percentage of at most 100. */
function amount(value: o.IntOrString, path: string): Causes {
  if (typeof value === 'number') return nonnegative(value, path)
  const causes = invalids(path, value, percent(value))
  if (causes.length === 0 && Number(value.slice(0, -1)) > 100)
    causes.push(invalidValue(path, value, 'must not be greater than 100%'))
  return causes
}

/** As Go prints the internal type, which has no names for JSON. */
const shownSpec = ({
  minAvailable,
  selector,
  maxUnavailable,
  unhealthyPodEvictionPolicy,
}: o.PodDisruptionBudget['spec']) => ({
  MinAvailable: minAvailable ?? null,
  Selector: shownSelector(selector) ?? null,
  MaxUnavailable: maxUnavailable ?? null,
  UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
})
