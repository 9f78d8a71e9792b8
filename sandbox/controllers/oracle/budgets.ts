import fc, { type Arbitrary } from 'fast-check'
import type * as o from '../../kube/objects.ts'
import { defined, maybe } from '../../kube/oracle/pods.ts'
import { bound } from '../../kube/oracle/text.ts'
import { seconds, toRfc3339, type Us } from '../../world/time.ts'

/** Random budgets with their pods and what owns them, for comparisons with Kubernetes' own code. Times are within ten minutes. */

export const soon: Arbitrary<Us> = fc.integer({ min: 0, max: 600 }).map(seconds)
const stamp = soon.map(toRfc3339)
const few = fc.integer({ min: 0, max: 4 })
/** Mostly so. */
export const mostly = <T>(value: T, ...others: readonly T[]): Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

export const selector: Arbitrary<o.LabelSelector | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ matchLabels: { app: 'web' } }) },
  { weight: 1, arbitrary: fc.constantFrom({}, undefined, { matchExpressions: [{ key: 'app', operator: 'Exists' }] }) },
  {
    weight: 1,
    arbitrary: fc.constant({
      matchLabels: { app: 'web', tier: 'gpu' },
      matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'db'] }],
    }),
  },
) as Arbitrary<o.LabelSelector | undefined>

const condition: Arbitrary<o.Condition> = fc
  .record({
    type: mostly('DisruptionAllowed', 'Other'),
    status: fc.constantFrom('True' as const, 'False' as const),
    reason: fc.constantFrom('SufficientPods', 'InsufficientPods', 'SyncFailed', 'Other'),
    message: fc.constantFrom('', 'why'),
    lastTransitionTime: stamp,
    observedGeneration: maybe(fc.integer({ min: 1, max: 2 })),
  })
  .map((made) => defined(made) as o.Condition)

const disruptedPods = fc.dictionary(
  fc.integer({ min: 0, max: 5 }).map((n) => `p${n}`),
  stamp,
  { minKeys: 1, maxKeys: 3 },
)

export const budget: Arbitrary<o.PodDisruptionBudget> = fc
  .record({
    namespace: mostly('default', 'other'),
    generation: fc.integer({ min: 1, max: 2 }),
    spec: fc.record({
      selector,
      bound: fc.option(fc.tuple(fc.constantFrom('minAvailable', 'maxUnavailable'), bound)),
      unhealthyPodEvictionPolicy: maybe(fc.constantFrom('IfHealthyBudget' as const, 'AlwaysAllow' as const)),
    }),
    status: fc.record({
      currentHealthy: few,
      desiredHealthy: few,
      expectedPods: few,
      disruptionsAllowed: fc.integer({ min: -1, max: 2 }),
      observedGeneration: maybe(fc.integer({ min: 1, max: 2 })),
      disruptedPods: maybe(disruptedPods),
      conditions: maybe(fc.uniqueArray(condition, { selector: ({ type }) => type, minLength: 1, maxLength: 2 })),
    }),
  })
  .map(({ namespace, generation, spec: { bound: limit, ...spec }, status }) => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace, uid: 'web', generation },
    spec: { ...defined(spec), ...(limit ? { [limit[0]]: limit[1] } : {}) },
    status: defined(status),
  })) as unknown as Arbitrary<o.PodDisruptionBudget>

const OWNERS = [
  ['apps/v1', 'ReplicaSet', 'r0'],
  ['apps/v1', 'ReplicaSet', 'r1'],
  ['apps/v1', 'StatefulSet', 's0'],
  ['v1', 'ReplicationController', 'c0'],
  ['argoproj.io/v1alpha1', 'Rollout', 'x0'],
  ['batch/v1', 'Job', 'j0'],
] as const

const owner: Arbitrary<o.OwnerReference> = fc.oneof(
  { weight: 12, arbitrary: ownerOf(fc.constantFrom(...OWNERS.slice(0, 3))) },
  { weight: 2, arbitrary: ownerOf(fc.constantFrom(...OWNERS)) },
)

function ownerOf(what: Arbitrary<(typeof OWNERS)[number]>): Arbitrary<o.OwnerReference> {
  return fc
    .tuple(what, fc.integer({ min: 0, max: 30 }), mostly(true, false))
    .map(([[apiVersion, kind, name], other, controller]) => ({
      ...{ apiVersion, kind, name, uid: other === 0 ? 'other' : name, controller },
    }))
}

const pod = fc.record({
  app: mostly('web', 'db'),
  owner: fc.oneof({ weight: 9, arbitrary: owner }, { weight: 1, arbitrary: fc.constant(undefined) }),
  ready: mostly('True', 'False'),
  deleted: mostly<string | undefined>(undefined, toRfc3339(0)),
})

const pods: Arbitrary<o.Pod[]> = fc.array(pod, { maxLength: 5 }).map((all) =>
  all.map(
    ({ app, owner: of, ready, deleted }, i) =>
      ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: defined({
          ...{ name: `p${i}`, namespace: 'default', uid: `p${i}`, labels: { app, tier: 'gpu' } },
          deletionTimestamp: deleted,
          ownerReferences: of && [of],
        }),
        spec: { containers: [] },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] },
      }) as unknown as o.Pod,
  ),
)

type Sized = o.KubeObject & { spec: { replicas: number } }

/** Objects that have replicas; some are not there, some under another uid. */
const sized = (apiVersion: string, kind: string, names: readonly string[], above?: o.OwnerReference) =>
  fc
    .tuple(
      ...names.map((name) =>
        fc.record({
          there: mostly(true, false),
          uid: fc.integer({ min: 0, max: 15 }).map((n) => (n === 0 ? 'another' : name)),
          replicas: fc.integer({ min: 0, max: 6 }),
          owned: fc.boolean(),
        }),
      ),
    )
    .map((all) =>
      all.flatMap(({ there, uid, replicas, owned }, i) => {
        const metadata = defined({
          ...{ name: names[i]!, namespace: 'default', uid },
          ownerReferences: above && owned ? [above] : undefined,
        })
        const selector = kind === 'ReplicationController' ? {} : { matchLabels: {} }
        const spec = { replicas, selector, template: { metadata: {}, spec: { containers: [] } } }
        return there ? [{ apiVersion, kind, metadata, spec, status: {} } as unknown as Sized] : []
      }),
    )

const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd0', uid: 'd0', controller: true }

/** A budget, its pods and their owners, at a time. */
export const budgetCase = fc.record({
  budget: budget.map((made) => ({ ...made, metadata: { ...made.metadata, namespace: 'default' } })),
  pods,
  deployments: sized('apps/v1', 'Deployment', ['d0']),
  replicaSets: sized('apps/v1', 'ReplicaSet', ['r0', 'r1'], DEPLOYMENT),
  statefulSets: sized('apps/v1', 'StatefulSet', ['s0']),
  controllers: sized('v1', 'ReplicationController', ['c0']),
  rollouts: sized('argoproj.io/v1alpha1', 'Rollout', ['x0']),
  fails: fc.oneof(
    { weight: 6, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom('Conflict', 'boom') },
  ),
  now: soon,
})
