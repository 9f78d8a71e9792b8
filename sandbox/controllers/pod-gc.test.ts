import { expect, it } from 'vitest'
import { Deployment, keyOf, Node, Pod } from '../kube/kinds.ts'
import { defaultProfile } from '../kube/lag.ts'
import { seconds } from '../world/time.ts'
import { deploymentController } from './deployment.ts'
import { podGarbageCollector } from './pod-gc.ts'
import { replicaSetController } from './replicaset.ts'
import { deploymentOf, settle, testCluster } from './testkit.ts'

function started() {
  const controllers = [deploymentController, replicaSetController, podGarbageCollector()]
  const cluster = testCluster({
    controllers,
    profile: defaultProfile,
    kubelet: { goneAfter: Number.POSITIVE_INFINITY },
  })
  cluster.store.create(Deployment, deploymentOf(2), 'kubectl')
  settle(cluster)
  return cluster
}

it('takes away the pods of a node that is gone, once it has been gone for 40 s', () => {
  const cluster = started()
  const before = new Set(cluster.pods().map((pod) => pod.metadata.uid))
  cluster.store.delete(Node, 'n1', 'test')
  settle(cluster, seconds(39))
  expect(cluster.pods().filter((pod) => before.has(pod.metadata.uid))).toHaveLength(2)
  settle(cluster, seconds(62 - 39))
  expect(cluster.pods().filter((pod) => before.has(pod.metadata.uid))).toEqual([])
  expect(JSON.stringify(cluster.world.journal.records)).toContain('PodGC: node no longer exists')
})

it('leaves pods alone whose node is there', () => {
  const cluster = started()
  const pods = cluster.pods()
  cluster.store.delete(Pod, keyOf(pods[0]!), 'kubectl')
  settle(cluster, seconds(300))
  expect(cluster.pods().map((pod) => pod.metadata.uid)).toEqual(
    expect.arrayContaining(pods.map((pod) => pod.metadata.uid)),
  )
})
