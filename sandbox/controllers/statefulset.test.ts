import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../kube/kinds.ts'
import { defaultProfile } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { ms, seconds } from '../world/time.ts'
import { garbageCollector } from './garbage-collector.ts'
import { statefulSetController } from './statefulset.ts'
import { podTemplate, settle, type TestCluster, type TestClusterOptions, testCluster, WEB } from './testkit.ts'

type Spec = Partial<Omit<o.StatefulSet['spec'], 'template'>> & { image?: string }

const setOf = (replicas: number, { image = 'v1', ...spec }: Spec = {}): o.StatefulSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      serviceName: 'web',
      selector: { matchLabels: { app: 'web' } },
      template: podTemplate({ app: 'web' }, image),
      ...spec,
    },
  }) as o.StatefulSet

const clusterWith = (set: o.StatefulSet, options: Partial<TestClusterOptions> = {}): TestCluster => {
  const cluster = testCluster({ controllers: [statefulSetController, garbageCollector()], ...options })
  cluster.store.create(StatefulSet, set, 'kubectl')
  return cluster
}

const names = (cluster: TestCluster) =>
  cluster
    .pods()
    .map((pod) => pod.metadata.name)
    .sort()
const images = (cluster: TestCluster) =>
  Object.fromEntries(cluster.pods().map((pod) => [pod.metadata.name, pod.spec.containers[0]!.image]))
const patch = ({ store }: TestCluster, spec: object) => store.patch(StatefulSet, WEB, { spec }, 'kubectl')
const setImage = (cluster: TestCluster, image: string) =>
  patch(cluster, { template: podTemplate({ app: 'web' }, image) })
const podEvents = (cluster: TestCluster) => cluster.events().filter((text) => / Pod web/.test(text))
const status = ({ store }: TestCluster) => store.get(StatefulSet, WEB).status

describe('a StatefulSet makes its pods', () => {
  it('one after another, each when the one before is ready, with names, labels and host names of their own', () => {
    const cluster = clusterWith(setOf(3), { kubelet: { readyAfter: () => seconds(10) } })
    settle(cluster, seconds(9))
    expect(names(cluster)).toEqual(['web-0'])
    settle(cluster, seconds(10))
    expect(names(cluster)).toEqual(['web-0', 'web-1'])
    settle(cluster, seconds(60))
    const pod = cluster.store.get(Pod, 'default/web-2')
    expect(pod.metadata.labels).toMatchObject({
      'statefulset.kubernetes.io/pod-name': 'web-2',
      'apps.kubernetes.io/pod-index': '2',
      'controller-revision-hash': status(cluster).currentRevision,
    })
    expect(pod.spec).toMatchObject({ hostname: 'web-2', subdomain: 'web' })
    expect(status(cluster)).toMatchObject({ replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3 })
    expect(podEvents(cluster)).toEqual(
      [0, 1, 2].map((i) => `SuccessfulCreate: Create Pod web-${i} in StatefulSet web successful`),
    )
  })

  it('all at once where the policy is Parallel', () => {
    const cluster = clusterWith(setOf(3, { podManagementPolicy: 'Parallel' }), {
      kubelet: { readyAfter: () => Number.POSITIVE_INFINITY },
    })
    settle(cluster, seconds(1))
    expect(names(cluster)).toEqual(['web-0', 'web-1', 'web-2'])
  })

  it('from the first ordinal given', () => {
    const cluster = clusterWith(setOf(2, { ordinals: { start: 5 } }))
    settle(cluster)
    expect(names(cluster)).toEqual(['web-5', 'web-6'])
    patch(cluster, { ordinals: { start: 6 } })
    settle(cluster)
    expect(names(cluster)).toEqual(['web-6', 'web-7'])
  })

  it('waits minReadySeconds before the next', () => {
    const cluster = clusterWith(setOf(2, { minReadySeconds: 30 }))
    settle(cluster, seconds(29))
    expect(names(cluster)).toEqual(['web-0'])
    settle(cluster, seconds(10))
    expect(names(cluster)).toEqual(['web-0', 'web-1'])
  })

  it('again when one has failed or is gone', () => {
    const cluster = clusterWith(setOf(2))
    settle(cluster)
    const pod = cluster.store.get(Pod, 'default/web-0')
    cluster.store.updateStatus(Pod, { ...pod, status: { ...pod.status, phase: 'Failed' } }, 'kubelet')
    settle(cluster)
    expect(cluster.store.get(Pod, 'default/web-0').metadata.uid).not.toBe(pod.metadata.uid)
    expect(names(cluster)).toEqual(['web-0', 'web-1'])
  })
})

describe('scaling down', () => {
  it('takes the highest ordinal first and waits for it to be gone', () => {
    const cluster = clusterWith(setOf(3), { kubelet: { goneAfter: seconds(5) } })
    settle(cluster)
    patch(cluster, { replicas: 1 })
    settle(cluster, seconds(4))
    expect(
      cluster
        .pods()
        .filter((pod) => pod.metadata.deletionTimestamp)
        .map((pod) => pod.metadata.name),
    ).toEqual(['web-2'])
    settle(cluster, seconds(60))
    expect(names(cluster)).toEqual(['web-0'])
    expect(podEvents(cluster).slice(-2)).toEqual(
      [2, 1].map((i) => `SuccessfulDelete: Delete Pod web-${i} in StatefulSet web successful`),
    )
  })
})

describe('a new template', () => {
  it('replaces the pods from the highest ordinal down, one at a time, and becomes the current revision', () => {
    const cluster = clusterWith(setOf(3), { kubelet: { readyAfter: () => seconds(1), goneAfter: seconds(1) } })
    settle(cluster)
    const [{ currentRevision: before }] = [status(cluster)]
    setImage(cluster, 'v2')
    settle(cluster, seconds(3))
    expect(images(cluster)).toMatchObject({ 'web-0': 'v1', 'web-2': 'v2' })
    settle(cluster)
    expect(images(cluster)).toEqual({ 'web-0': 'v2', 'web-1': 'v2', 'web-2': 'v2' })
    expect(status(cluster).currentRevision).toBe(status(cluster).updateRevision)
    expect(status(cluster).currentRevision).not.toBe(before)
    const deleted = podEvents(cluster).filter((text) => text.startsWith('SuccessfulDelete'))
    expect(deleted.map((text) => text.slice(29, 34))).toEqual(['web-2', 'web-1', 'web-0'])
  })

  it('goes no lower than the partition, and a pod below it comes back with the old template', () => {
    const cluster = clusterWith(
      setOf(3, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }),
    )
    settle(cluster)
    setImage(cluster, 'v2')
    settle(cluster)
    expect(images(cluster)).toEqual({ 'web-0': 'v1', 'web-1': 'v1', 'web-2': 'v2' })
    expect(status(cluster)).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 })
    cluster.store.delete(Pod, 'default/web-0', 'kubectl')
    settle(cluster)
    expect(images(cluster)).toEqual({ 'web-0': 'v1', 'web-1': 'v1', 'web-2': 'v2' })
  })

  it('waits for pods to be deleted by hand under OnDelete', () => {
    const cluster = clusterWith(setOf(2, { updateStrategy: { type: 'OnDelete' } }))
    settle(cluster)
    setImage(cluster, 'v2')
    settle(cluster)
    expect(images(cluster)).toEqual({ 'web-0': 'v1', 'web-1': 'v1' })
    cluster.store.delete(Pod, 'default/web-0', 'kubectl')
    settle(cluster)
    expect(images(cluster)).toEqual({ 'web-0': 'v2', 'web-1': 'v1' })
  })

  it('that is broken stays stuck after it is taken back, until the broken pod is deleted', () => {
    const readyAfter = (pod: o.Pod) => (pod.spec.containers[0]!.image === 'broken' ? Number.POSITIVE_INFINITY : ms(100))
    const cluster = clusterWith(setOf(2), { kubelet: { readyAfter } })
    settle(cluster)
    setImage(cluster, 'broken')
    settle(cluster)
    expect(images(cluster)).toEqual({ 'web-0': 'v1', 'web-1': 'broken' })
    setImage(cluster, 'v1')
    settle(cluster, seconds(300))
    expect(images(cluster)).toEqual({ 'web-0': 'v1', 'web-1': 'broken' })
    cluster.store.delete(Pod, 'default/web-1', 'kubectl')
    settle(cluster)
    expect(images(cluster)).toEqual({ 'web-0': 'v1', 'web-1': 'v1' })
  })

  it('leaves maxUnavailable unheard: its gate is off in 1.36', () => {
    const updateStrategy = { type: 'RollingUpdate' as const, rollingUpdate: { partition: 0, maxUnavailable: 2 } }
    const cluster = clusterWith(setOf(3, { updateStrategy }))
    expect(cluster.store.get(StatefulSet, WEB).spec.updateStrategy.rollingUpdate).toEqual({ partition: 0 })
  })

  it('keeps as many old revisions as the limit says, and rolls back to an old one under a new number', () => {
    const cluster = clusterWith(setOf(1, { revisionHistoryLimit: 1 }))
    for (const image of ['v1', 'v2', 'v3', 'v2']) {
      setImage(cluster, image)
      settle(cluster)
    }
    const revisions = cluster.store
      .list(ControllerRevision)
      .map(({ revision, data }) => [revision, data.spec.template.spec.containers[0]!.image])
    expect(revisions.sort()).toEqual([
      [3, 'v3'],
      [4, 'v2'],
    ])
  })
})

describe('claims', () => {
  const volumeClaimTemplates = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '1Gi' } } },
    },
  ]
  const claims = ({ store }: TestCluster) =>
    store
      .list(PersistentVolumeClaim)
      .map(({ metadata }) => metadata.name)
      .sort()

  it('are made before the pod, mounted by it, and kept when the set shrinks', () => {
    const cluster = clusterWith(setOf(2, { volumeClaimTemplates }))
    settle(cluster)
    expect(claims(cluster)).toEqual(['data-web-0', 'data-web-1'])
    expect(cluster.store.get(Pod, 'default/web-1').spec.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-web-1' } },
    ])
    patch(cluster, { replicas: 1 })
    settle(cluster)
    expect(claims(cluster)).toEqual(['data-web-0', 'data-web-1'])
    expect(cluster.events()).toContain('SuccessfulCreate: Create Claim data-web-0 Pod web-0 in StatefulSet web success')
  })

  it('go with the pod that scaling took away where the policy says so, and with the set', () => {
    const persistentVolumeClaimRetentionPolicy = { whenScaled: 'Delete' as const, whenDeleted: 'Delete' as const }
    const cluster = clusterWith(setOf(2, { volumeClaimTemplates, persistentVolumeClaimRetentionPolicy }))
    settle(cluster)
    patch(cluster, { replicas: 1 })
    settle(cluster)
    expect(claims(cluster)).toEqual(['data-web-0'])
    cluster.store.delete(StatefulSet, WEB, 'kubectl')
    settle(cluster)
    expect(claims(cluster)).toEqual([])
    expect(names(cluster)).toEqual([])
  })
})

it('never has two pods of one name, goes in order, and comes to the wanted number', () => {
  const change = fc.oneof(
    fc.record({ replicas: fc.nat(4) }),
    fc.record({ image: fc.constantFrom('v1', 'v2', 'v3') }),
    fc.record({ kill: fc.nat(4) }),
  )
  const run = fc.property(
    fc.array(fc.tuple(change, fc.integer({ min: 1, max: 4000 })), { maxLength: 8 }),
    fc.boolean(),
    fc.integer({ min: 1, max: 1000 }),
    (changes, parallel, seed) => {
      const cluster = clusterWith(setOf(3, parallel ? { podManagementPolicy: 'Parallel' } : {}), {
        profile: defaultProfile,
        seed,
      })
      for (const [step, after] of changes) {
        if ('replicas' in step) patch(cluster, { replicas: step.replicas })
        else if ('image' in step) setImage(cluster, step.image)
        else if (cluster.store.peek(Pod, `default/web-${step.kill}`))
          cluster.store.delete(Pod, `default/web-${step.kill}`, 'x')
        for (let i = 0; i < after; i += 100) {
          settle(cluster, ms(100))
          const ordinals = names(cluster).map((name) => Number(name.slice(4)))
          expect(new Set(ordinals).size).toBe(ordinals.length)
        }
      }
      settle(cluster, seconds(120))
      const { spec } = cluster.store.get(StatefulSet, WEB)
      expect(names(cluster)).toEqual(Array.from({ length: spec.replicas }, (_, i) => `web-${i}`))
      for (const image of Object.values(images(cluster))) expect(image).toBe(spec.template.spec.containers[0]!.image)
      expect(status(cluster)).toMatchObject({
        replicas: spec.replicas,
        currentRevision: status(cluster).updateRevision,
      })
    },
  )
  fc.assert(run, { numRuns: 25 })
})
