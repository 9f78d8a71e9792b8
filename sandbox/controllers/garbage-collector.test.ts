import { describe, expect, it } from 'vitest'
import { ConfigMap, Deployment, keyOf, Pod, ReplicaSet } from '../kube/kinds.ts'
import { defaultProfile, instant } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { seconds } from '../world/time.ts'
import { deploymentController } from './deployment.ts'
import { garbageCollector } from './garbage-collector.ts'
import { replicaSetController } from './replicaset.ts'
import { deploymentOf, settle, type TestCluster, testCluster, WEB } from './testkit.ts'

function started(profile = instant, goneAfter = seconds(5)): TestCluster {
  const controllers = [deploymentController, replicaSetController, garbageCollector()]
  const cluster = testCluster({ controllers, profile, kubelet: { goneAfter } })
  cluster.store.create(Deployment, deploymentOf(3), 'kubectl')
  settle(cluster)
  return cluster
}

const counts = ({ store }: TestCluster) =>
  [store.list(Deployment), store.list(ReplicaSet), store.list(Pod)].map((objects) => objects.length)

describe.each([instant, defaultProfile])('deleting a Deployment with the $name profile', (profile) => {
  it('in the background takes it first and what it owned after it', () => {
    const cluster = started(profile)
    cluster.store.delete(Deployment, WEB, 'kubectl', { propagationPolicy: 'Background' })
    expect(counts(cluster)).toEqual([0, 1, 3])
    settle(cluster, seconds(4))
    expect(counts(cluster)).toEqual([0, 0, 3])
    expect(cluster.pods().every((pod) => pod.metadata.deletionTimestamp)).toBe(true)
    settle(cluster)
    expect(counts(cluster)).toEqual([0, 0, 0])
  })

  it('in the foreground takes the pods first and it last', () => {
    const cluster = started(profile)
    cluster.store.delete(Deployment, WEB, 'kubectl', { propagationPolicy: 'Foreground' })
    settle(cluster, seconds(4))
    expect(counts(cluster)).toEqual([1, 1, 3])
    expect(cluster.store.get(Deployment, WEB).metadata.finalizers).toEqual(['foregroundDeletion'])
    settle(cluster)
    expect(counts(cluster)).toEqual([0, 0, 0])
    const gone = cluster.world.journal.records.flatMap((r) =>
      r.type === 'object' && r.verb === 'DELETED' ? [r.kind] : [],
    )
    expect(gone).toEqual(['pods', 'pods', 'pods', 'replicasets.apps', 'deployments.apps'])
  })

  it('as orphaning leaves what it owned without an owner', () => {
    const cluster = started(profile)
    cluster.store.delete(Deployment, WEB, 'kubectl', { propagationPolicy: 'Orphan' })
    settle(cluster)
    expect(counts(cluster)).toEqual([0, 1, 3])
    expect(cluster.store.list(ReplicaSet)[0]!.metadata.ownerReferences).toBeUndefined()
    expect(cluster.pods().every((pod) => pod.metadata.ownerReferences?.length === 1)).toBe(true)
  })
})

describe('owner references', () => {
  const configMap = (name: string, ownerReferences: o.OwnerReference[]) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', ownerReferences },
  })
  const ref = (uid: string, name = 'web', kind = 'Deployment'): o.OwnerReference => ({
    apiVersion: 'apps/v1',
    kind,
    name,
    uid,
  })

  it('to an owner that never was make an object garbage', () => {
    const cluster = started()
    cluster.store.create(ConfigMap, configMap('lost', [ref('no-such-uid')]), 'kubectl')
    settle(cluster)
    expect(cluster.store.list(ConfigMap)).toEqual([])
  })

  it('that dangle are dropped while another owner lives', () => {
    const cluster = started()
    const owner = ref(cluster.store.get(Deployment, WEB).metadata.uid)
    cluster.store.create(ConfigMap, configMap('kept', [ref('no-such-uid', 'other'), owner]), 'kubectl')
    settle(cluster)
    expect(cluster.store.list(ConfigMap).map((object) => object.metadata.ownerReferences)).toEqual([[owner]])
  })

  it('to a kind nobody serves are left alone', () => {
    const cluster = started()
    const foreign = { ...ref('some-uid', 'chat', 'Rollout'), apiVersion: 'argoproj.io/v1alpha1' }
    cluster.store.create(ConfigMap, configMap('foreign', [foreign]), 'kubectl')
    settle(cluster)
    expect(cluster.store.list(ConfigMap).map(keyOf)).toEqual(['default/foreign'])
  })
})
