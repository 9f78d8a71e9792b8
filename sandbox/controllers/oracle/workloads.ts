import fc, { type Arbitrary } from 'fast-check'
import type * as o from '../../kube/objects.ts'
import { defined, maybe, time } from '../../kube/oracle/pods.ts'
import { bound } from '../../kube/oracle/text.ts'
import { toRfc3339 } from '../../world/time.ts'

/** Random workloads for comparisons with Kubernetes' own controllers, as the API server would have let them in. */

const count = fc.integer({ min: 0, max: 30 })
const stamp = time.map(toRfc3339)

const condition: Arbitrary<o.Condition> = fc.record({
  type: fc.constantFrom('Progressing', 'Available'),
  status: fc.constantFrom('True' as const, 'False' as const),
  reason: fc.constantFrom(
    'NewReplicaSetAvailable',
    'ProgressDeadlineExceeded',
    'ReplicaSetUpdated',
    'NewReplicaSetCreated',
  ),
  message: fc.constant(''),
  lastUpdateTime: stamp,
  lastTransitionTime: stamp,
})

const few = fc.integer({ min: 0, max: 4 })
export const deploymentStatus: Arbitrary<o.Deployment['status']> = fc
  .record({
    observedGeneration: fc.integer({ min: 0, max: 3 }),
    replicas: maybe(few),
    updatedReplicas: maybe(few),
    readyReplicas: maybe(few),
    availableReplicas: maybe(few),
    conditions: fc.uniqueArray(condition, { selector: ({ type }) => type, maxLength: 2 }),
  })
  .map((status) => defined(status) as o.Deployment['status'])

export const deployment = (replicas: Arbitrary<number>): Arbitrary<o.Deployment> =>
  fc
    .record({
      replicas,
      rolling: fc.oneof({ weight: 1, arbitrary: fc.constant(false) }, { weight: 6, arbitrary: fc.constant(true) }),
      rollingUpdate: fc.record({ maxSurge: bound, maxUnavailable: bound }),
      progressDeadlineSeconds: fc.constantFrom(1, 60, 600, 3600, 2147483647),
      generation: fc.integer({ min: 1, max: 3 }),
      status: deploymentStatus,
    })
    .map(
      ({ generation, status, rolling, rollingUpdate, ...spec }) =>
        ({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web', namespace: 'default', generation },
          spec: {
            ...spec,
            strategy: rolling ? { type: 'RollingUpdate', rollingUpdate } : { type: 'Recreate' },
            selector: { matchLabels: {} },
            template: { metadata: {}, spec: { containers: [] } },
          },
          status,
        }) as unknown as o.Deployment,
    )

const annotation = maybe(fc.oneof(count.map(String), fc.constantFrom('x', '-1', '', '2147483648')))

const replicaSet: Arbitrary<Omit<o.ReplicaSet, 'metadata'> & { at: string; annotations: object }> = fc
  .record({
    replicas: fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: count }),
    availableReplicas: maybe(count),
    observedGeneration: maybe(fc.constant(1)),
    terminatingReplicas: maybe(few),
    at: stamp,
    desired: annotation,
    max: annotation,
  })
  .map(({ replicas, at, desired, max, ...status }) => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    at,
    annotations: defined({
      'deployment.kubernetes.io/desired-replicas': desired,
      'deployment.kubernetes.io/max-replicas': max,
    }),
    spec: { replicas, selector: { matchLabels: {} }, template: { metadata: {}, spec: { containers: [] } } },
    status: { replicas, ...defined(status) },
  })) as never

export const replicaSets: Arbitrary<o.ReplicaSet[]> = fc.array(replicaSet, { minLength: 1, maxLength: 5 }).map((sets) =>
  sets.map(({ at, annotations, ...set }, i) => {
    const metadata = { name: `web-${i}`, namespace: 'default', uid: `${i}`, creationTimestamp: at, annotations }
    return { ...set, metadata } as unknown as o.ReplicaSet
  }),
)

const taintKey = fc.constantFrom('gpu', 'spot', 'node.kubernetes.io/not-ready', 'node.kubernetes.io/unschedulable')
const effect = fc.constantFrom('NoSchedule' as const, 'NoExecute' as const, 'PreferNoSchedule' as const)
const taint: Arbitrary<o.Taint> = fc
  .record({ key: taintKey, value: maybe(fc.constantFrom('', 'a', 'b')), effect })
  .map((made) => defined(made) as o.Taint)
export const taints: Arbitrary<o.Taint[]> = fc.uniqueArray(taint, {
  selector: ({ key, effect: of }) => `${key} ${of}`,
  maxLength: 3,
})

export const tolerations: Arbitrary<o.Toleration[]> = fc.array(
  fc
    .record({
      key: maybe(taintKey),
      operator: maybe(fc.constantFrom('Equal' as const, 'Exists' as const)),
      value: maybe(fc.constantFrom('', 'a', 'b')),
      effect: maybe(effect),
      tolerationSeconds: maybe(fc.integer({ min: -10, max: 1000 })),
    })
    .map((made) => {
      const { operator, key, value, ...rest } = defined(made)
      // as validation lets them in: nothing but Exists goes without a key, Exists has no value
      if (key === undefined) return { ...rest, operator: 'Exists' } as o.Toleration
      return {
        ...rest,
        key,
        ...(operator && { operator }),
        ...(operator !== 'Exists' && value !== undefined && { value }),
      } as o.Toleration
    }),
  { maxLength: 4 },
)

const ZONES = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]
export const node: Arbitrary<o.Node> = fc
  .record({
    name: fc.constantFrom('n1', 'n2'),
    labels: fc.dictionary(fc.constantFrom('app', 'rank', ...ZONES), fc.constantFrom('', '1', 'a', 'web'), {
      maxKeys: 3,
    }),
    taints,
  })
  .map(
    ({ name, labels, taints: on }) =>
      ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels },
        spec: { taints: on },
        status: {},
      }) as unknown as o.Node,
  )

const requirement = fc.constantFrom(
  { key: 'app', operator: 'In', values: ['web', '1'] },
  { key: 'app', operator: 'DoesNotExist' },
  { key: 'rank', operator: 'Gt', values: ['0'] },
)
const term = fc.record({ matchExpressions: fc.array(requirement, { maxLength: 2 }) })
const affinity = fc.record({
  nodeAffinity: fc.record({
    requiredDuringSchedulingIgnoredDuringExecution: fc.record({
      nodeSelectorTerms: fc.array(term, { minLength: 1, maxLength: 2 }),
    }),
  }),
})

export const daemonSet: Arbitrary<o.DaemonSet> = fc
  .record({
    nodeName: maybe(fc.constant('n1')),
    nodeSelector: maybe(fc.dictionary(fc.constantFrom('app', 'rank'), fc.constantFrom('1', 'web'), { maxKeys: 1 })),
    affinity: maybe(affinity),
    tolerations: maybe(tolerations),
    hostNetwork: maybe(fc.boolean()),
    rollingUpdate: fc.record({ maxSurge: bound, maxUnavailable: bound }),
  })
  .map(
    ({ rollingUpdate, ...spec }) =>
      ({
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'agent', namespace: 'default', uid: 'agent' },
        spec: {
          selector: { matchLabels: {} },
          template: { metadata: {}, spec: { containers: [], ...defined(spec) } },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate },
        },
        status: {},
      }) as unknown as o.DaemonSet,
  )
