import fc, { type Arbitrary } from 'fast-check'
import type * as o from '../../kube/objects.ts'
import { defined, maybe } from '../../kube/oracle/pods.ts'

/** Random quotas and LimitRanges, for comparisons with Kubernetes' own admission. */

const NAMES = [
  'pods', 'count/pods', 'cpu', 'memory', 'requests.cpu', 'limits.memory', 'requests.nvidia.com/gpu', 'hugepages-2Mi', 'requests.hugepages-2Mi', 'services', 'limits.cpu',
  'requests.ephemeral-storage', 'requests.storage', 'limits.nvidia.com/gpu', 'nvidia.com/gpu',
] // biome-ignore format: a table
const amount = fc.constantFrom('1', '100m', '2', '1Gi', '500Mi', '1500m', '0')

const scope: Arbitrary<o.ScopeRequirement> = fc.oneof(
  fc
    .constantFrom('Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'CrossNamespacePodAffinity')
    .map((scopeName) => ({ scopeName, operator: 'Exists' })),
  fc.constantFrom('Exists', 'DoesNotExist').map((operator) => ({ scopeName: 'PriorityClass', operator })),
  fc.record({
    scopeName: fc.constant('PriorityClass'),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(fc.constantFrom('high', 'low', 'other'), { minLength: 1, maxLength: 2 }),
  }),
) as unknown as Arbitrary<o.ScopeRequirement>

export const quota: Arbitrary<o.ResourceQuota> = fc
  .record({
    hard: fc.dictionary(fc.constantFrom(...NAMES), amount, { minKeys: 1, maxKeys: 4 }),
    scopes: maybe(
      fc.uniqueArray(fc.constantFrom('Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort'), { maxLength: 1 }),
    ),
    expressions: maybe(fc.array(scope, { maxLength: 2 })),
  })
  .map(
    ({ hard, scopes, expressions }) =>
      ({
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'q', namespace: 'default' },
        spec: defined({ hard, scopes, scopeSelector: expressions && { matchExpressions: expressions } }),
        status: { hard, used: {} },
      }) as unknown as o.ResourceQuota,
  )

const bounds = maybe(
  fc.dictionary(fc.constantFrom('cpu', 'memory', 'ephemeral-storage', 'nvidia.com/gpu'), amount, { maxKeys: 2 }),
)
const item = fc
  .record({
    type: fc.constantFrom('Container' as const, 'Container' as const, 'Pod' as const),
    min: bounds,
    max: bounds,
    default: bounds,
    defaultRequest: bounds,
    maxLimitRequestRatio: bounds,
  })
  .map(({ default: limits, defaultRequest, ...rest }) =>
    // only containers have defaults
    defined(rest.type === 'Pod' ? rest : { ...rest, default: limits, defaultRequest }),
  )

export const limitRange: Arbitrary<o.LimitRange> = fc.array(item, { minLength: 1, maxLength: 3 }).map(
  (limits) =>
    ({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'l', namespace: 'default' },
      spec: { limits },
    }) as unknown as o.LimitRange,
)
