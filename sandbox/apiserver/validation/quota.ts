import type * as o from '../../kube/objects.ts'
import { type Causes, immutable, invalidValue, required } from './field.ts'
import { objectMeta, objectMetaUpdate } from './meta.ts'
import { dns1123Subdomain } from './names.ts'
import { isStandardQuotaResource, quantityOf, quotaResourceName } from './resources.ts'

/** Follows pkg/apis/core/validation/validation.go ValidateResourceQuota. */
export const resourceQuota = ({ metadata, spec }: o.ResourceQuota): Causes => [
  ...objectMeta(metadata, dns1123Subdomain),
  ...quotaSpec(spec),
]

export const resourceQuotaUpdate = (object: o.ResourceQuota, before: o.ResourceQuota): Causes => [
  ...objectMetaUpdate(object.metadata, before.metadata),
  ...quotaSpec(object.spec),
  ...immutable(sameScopes(object.spec, before.spec), object.spec.scopes, 'spec.scopes'),
]

export const resourceQuotaStatus = (object: o.ResourceQuota, before: o.ResourceQuota): Causes => [
  ...objectMetaUpdate(object.metadata, before.metadata),
  ...amounts(object.status?.hard, 'status.hard'),
  ...amounts(object.status?.used, 'status.used'),
]

type Spec = o.ResourceQuota['spec']

const sameScopes = (a: Spec, b: Spec): boolean =>
  [...new Set(a.scopes)].sort().join() === [...new Set(b.scopes)].sort().join()

const quotaSpec = (spec: Spec): Causes => [...amounts(spec.hard, 'spec.hard'), ...scopes(spec), ...scopeSelector(spec)]

const amounts = (list: Record<string, string> | undefined, path: string): Causes =>
  Object.entries(list ?? {}).flatMap(([name, text]) => [
    ...quotaResourceName(name, `${path}[${name}]`),
    ...quantityOf(name, text, `${path}[${name}]`),
  ])

const EXISTS_ONLY: readonly o.QuotaScope[] = [
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]
const SCOPES: readonly o.QuotaScope[] = [...EXISTS_ONLY, 'PriorityClass', 'VolumeAttributesClass']
const PAIRS: readonly (readonly [o.QuotaScope, o.QuotaScope])[] = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]

// follows validateResourceQuotaScopes
function scopes({ scopes: given, hard }: Spec): Causes {
  if (!given?.length) return []
  const wrong = (detail: string) => invalidValue('spec.scopes', given, detail)
  return [
    ...given.flatMap((scope) => [
      ...(SCOPES.includes(scope) ? [] : [wrong('unsupported scope')]),
      ...unfit(scope, hard).map(() => wrong('unsupported scope applied to resource')),
    ]),
    ...conflicting(given).map(() => wrong('conflicting scopes')),
  ]
}

// follows validateScopedResourceSelectorRequirement
function scopeSelector({ scopeSelector: selector, scopes: listed, hard }: Spec): Causes {
  if (!selector) return []
  const path = 'spec.scopeSelector.matchExpressions'
  const expressions = selector.matchExpressions ?? []
  const causes = expressions.flatMap(({ scopeName, operator, values = [] }) => [
    ...(SCOPES.includes(scopeName) ? [] : [invalidValue(`${path}.scopeName`, scopeName, 'unsupported scope')]),
    ...unfit(scopeName, hard).map(() =>
      invalidValue(path, shownScopes(expressions), 'unsupported scope applied to resource'),
    ),
    ...(EXISTS_ONLY.includes(scopeName) && operator !== 'Exists'
      ? [invalidValue(`${path}.operator`, operator, EXISTS_MESSAGE)]
      : []),
    ...operatorCauses(operator, values, path),
  ])
  const names = expressions.map(({ scopeName }) => scopeName)
  return [...causes, ...conflicting(names).map(() => invalidValue(path, listed ?? null, 'conflicting scopes'))]
}

const EXISTS_MESSAGE =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"

function operatorCauses(operator: string, values: readonly string[], path: string): Causes {
  if (operator === 'In' || operator === 'NotIn')
    return values.length > 0
      ? []
      : [required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")]
  if (operator === 'Exists' || operator === 'DoesNotExist')
    return values.length === 0
      ? []
      : [
          invalidValue(
            `${path}.values`,
            values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          ),
        ]
  return [invalidValue(`${path}.operator`, operator, 'not a valid selector operator')]
}

const conflicting = (names: readonly o.QuotaScope[]) =>
  PAIRS.filter((pair) => pair.every((scope) => names.includes(scope)))

const PODS = ['pods']
const COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const CLAIMS = ['persistentvolumeclaims', 'requests.storage']

/** The limited resources a scope cannot tell apart. Follows pkg/apis/core/helper IsResourceQuotaScopeValidForResource. */
function unfit(scope: o.QuotaScope, hard: Record<string, string> = {}): string[] {
  if (!SCOPES.includes(scope)) return []
  const fit = scope === 'BestEffort' ? PODS : scope === 'VolumeAttributesClass' ? CLAIMS : [...PODS, ...COMPUTE]
  return Object.keys(hard).filter((name) => isStandardQuotaResource(name) && !fit.includes(name))
}

/** As Go prints the internal type. */
const shownScopes = (expressions: readonly o.ScopeRequirement[]) => ({
  MatchExpressions: expressions.map(({ scopeName, operator, values }) => ({
    ScopeName: scopeName,
    Operator: operator,
    Values: values ?? null,
  })),
})
