import fc, { type Arbitrary } from 'fast-check'
import type * as o from '../../kube/objects.ts'
import { defined, maybe } from '../../kube/oracle/pods.ts'
import { toRfc3339 } from '../../world/time.ts'
import { mostly, soon } from './budgets.ts'

/** Random StatefulSets with their revisions, pods and claims, for comparisons with Kubernetes' own controller. */

const stamp = soon.map(toRfc3339)
const NAMES = ['rev-a', 'rev-b', 'rev-c', 'rev-d']
const CLAIMS = ['data', 'logs']

const VOLUMES = [undefined, [{ name: 'tmp', emptyDir: {} }], [{ name: 'data', emptyDir: {} }]]

const template: Arbitrary<o.PodTemplateSpec> = fc.integer({ min: 0, max: 2 }).map((n) => ({
  metadata: { labels: { app: 'web' } },
  spec: defined({ containers: [{ name: 'main', image: `app:${n}` }], volumes: VOLUMES[n] }),
})) as unknown as Arbitrary<o.PodTemplateSpec>

/** A revision that is stored: a template under a name and a number. */
export interface StoredRevision {
  readonly name: string
  readonly number: number
  readonly at: string
  readonly template: o.PodTemplateSpec
}

const revisions: Arbitrary<StoredRevision[]> = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom(...NAMES),
    number: fc.integer({ min: 1, max: 5 }),
    at: stamp,
    template,
  }),
  { selector: ({ name }) => name, maxLength: 4 },
)

const RETENTION = fc.record({
  whenScaled: fc.constantFrom('Retain' as const, 'Delete' as const),
  whenDeleted: fc.constantFrom('Retain' as const, 'Delete' as const),
})

const few = fc.integer({ min: 0, max: 4 })
const named = fc.constantFrom(...NAMES, 'rev-x')

const spec = fc
  .record({
    replicas: few,
    template,
    podManagementPolicy: fc.constantFrom('OrderedReady' as const, 'Parallel' as const),
    partition: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: few }),
    onDelete: mostly(false, true),
    minReadySeconds: maybe(fc.constantFrom(0, 10, 60)),
    start: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: few }),
    revisionHistoryLimit: fc.integer({ min: 0, max: 2 }),
    claims: fc.integer({ min: 0, max: 2 }),
    persistentVolumeClaimRetentionPolicy: maybe(RETENTION),
  })
  .map(({ partition, onDelete, start, claims, ...rest }) => ({
    ...defined(rest),
    selector: { matchLabels: { app: 'web' } },
    serviceName: 'web',
    updateStrategy: onDelete ? { type: 'OnDelete' } : { type: 'RollingUpdate', rollingUpdate: { partition } },
    ...(start === undefined ? {} : { ordinals: { start } }),
    volumeClaimTemplates: CLAIMS.slice(0, claims).map((name) => ({
      metadata: { name, labels: { of: name } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })),
  }))

const status = fc
  .record({
    observedGeneration: maybe(fc.integer({ min: 1, max: 2 })),
    replicas: few,
    readyReplicas: maybe(few),
    availableReplicas: few,
    currentReplicas: maybe(few),
    updatedReplicas: maybe(few),
    currentRevision: maybe(named),
    updateRevision: maybe(named),
    collisionCount: maybe(fc.integer({ min: 0, max: 2 })),
  })
  .map(defined)

const set: Arbitrary<o.StatefulSet> = fc
  .record({
    spec,
    status,
    generation: fc.integer({ min: 1, max: 2 }),
    deletionTimestamp: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: stamp }),
  })
  .map(({ generation, deletionTimestamp, ...rest }) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: defined({ name: 'web', namespace: 'default', uid: 'set', generation, deletionTimestamp }),
    ...rest,
  })) as unknown as Arbitrary<o.StatefulSet>

const SET = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', controller: true, blockOwnerDeletion: true }

const pod = fc
  .record({
    ordinal: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 0, max: 6 }).map(String) },
      { weight: 1, arbitrary: fc.constantFrom('01', '99999999999') },
    ),
    revision: maybe(named),
    labelled: mostly(true, false),
    indexed: mostly(true, false),
    stored: mostly(true, false),
    phase: mostly('Running', 'Pending', 'Failed', 'Succeeded', 'Unknown', ''),
    ready: mostly('True', 'False'),
    readySince: maybe(stamp),
    deletionTimestamp: mostly<string | undefined>(undefined, toRfc3339(0)),
  })
  .map(({ ordinal, revision, labelled, indexed, stored, phase, ready, readySince, deletionTimestamp }) => {
    const name = `web-${ordinal}`
    const labels = defined({
      app: 'web',
      'controller-revision-hash': revision,
      'statefulset.kubernetes.io/pod-name': labelled ? name : undefined,
      'apps.kubernetes.io/pod-index': indexed ? ordinal : undefined,
    })
    const claim = (of: string) => ({ name: of, persistentVolumeClaim: { claimName: `${of}-${name}` } })
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: defined({
        ...{ name, namespace: 'default', uid: name, labels, ownerReferences: [{ ...SET, uid: 'set' }] },
        deletionTimestamp,
      }),
      spec: { containers: [{ name: 'main', image: 'app:0' }], ...(stored ? { volumes: CLAIMS.map(claim) } : {}) },
      status: {
        ...(phase ? { phase } : {}),
        conditions: [defined({ type: 'Ready', status: ready, lastTransitionTime: readySince })],
      },
    }
  }) as unknown as Arbitrary<o.Pod>

const pods = fc.uniqueArray(pod, { selector: ({ metadata }) => metadata.name, maxLength: 6 })

const owners = fc.constantFrom<readonly (readonly [kind: string, name: 'set' | 'pod' | 'other', stale: boolean])[]>(
  [],
  [['StatefulSet', 'set', false]],
  [['StatefulSet', 'set', true]],
  [['Pod', 'pod', false]],
  [['Pod', 'pod', true]],
  [
    ['StatefulSet', 'set', false],
    ['Pod', 'pod', false],
  ],
  [['Deployment', 'other', false]],
  [
    ['Deployment', 'other', false],
    ['StatefulSet', 'set', false],
  ],
)

const claim = fc
  .record({
    of: fc.constantFrom(...CLAIMS),
    ordinal: fc.integer({ min: 0, max: 6 }),
    owners,
    controller: mostly(true, false),
    deletionTimestamp: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: stamp }),
  })
  .map(({ of, ordinal, owners: all, controller, deletionTimestamp }) => {
    const podName = `web-${ordinal}`
    const ownerReferences = all.map(([kind, who, stale]) => ({
      apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
      kind,
      name: who === 'pod' ? podName : who === 'set' ? 'web' : 'other',
      uid: stale ? 'stale' : who === 'pod' ? podName : who,
      controller,
    }))
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: defined({ name: `${of}-${podName}`, namespace: 'default', ownerReferences, deletionTimestamp }),
      spec: {},
      status: {},
    }
  }) as unknown as Arbitrary<o.PersistentVolumeClaim>

const claims = fc.uniqueArray(claim, { selector: ({ metadata }) => metadata.name, maxLength: 8 })

const failing = fc.oneof(
  fc.tuple(
    fc.integer({ min: 0, max: 4 }).map((n) => `web-${n}`),
    fc.constantFrom('AlreadyExists', 'NotFound', 'boom'),
  ),
  fc.tuple(
    fc.integer({ min: 0, max: 4 }).map((n) => `data-web-${n}`),
    fc.constantFrom('AlreadyExists', 'boom'),
  ),
  fc.tuple(fc.constantFrom('web', 'created', ...NAMES), fc.constant('boom')),
)

/** A set before a pass of its controller, at a time, and which requests fail. */
export const statefulSetCase = fc
  .record({
    set,
    revisions,
    pods,
    claims,
    fails: fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.array(failing, { maxLength: 2 }).map((all) => Object.fromEntries(all)) },
    ) as Arbitrary<Record<string, string>>,
    now: soon,
    known: mostly(true, false),
  })
  // mostly one of the stored templates, and pods of stored revisions
  .map(({ known, ...item }) => {
    const last = item.revisions.at(-1)
    if (!known || !last) return item
    return { ...item, set: { ...item.set, spec: { ...item.set.spec, template: last.template } } }
  })
