import { describe, expect, it } from 'vitest'
import { Deployment, EndpointSlice, keyOf, Pod, Service } from '../kube/kinds.ts'
import { defaultProfile, instant } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { ms, seconds } from '../world/time.ts'
import { deploymentController } from './deployment.ts'
import { endpointSliceController } from './endpointslice.ts'
import { replicaSetController } from './replicaset.ts'
import { deploymentOf, serviceOf, settle, type TestClusterOptions, testCluster, WEB } from './testkit.ts'

function started(
  replicas: number,
  service: Partial<o.Service['spec']> = {},
  options: Partial<TestClusterOptions> = {},
) {
  const controllers = [deploymentController, replicaSetController, endpointSliceController()]
  const cluster = testCluster({ controllers, ...options })
  cluster.store.create(Service, serviceOf(service), 'kubectl')
  cluster.store.create(Deployment, deploymentOf(replicas), 'kubectl')
  settle(cluster)
  return cluster
}

const slices = (cluster: ReturnType<typeof started>): o.EndpointSlice[] => cluster.store.list(EndpointSlice)

describe.each([instant, defaultProfile])('the slices of a Service with the $name profile', (profile) => {
  it('hold its ready pods', () => {
    const cluster = started(3, {}, { profile })
    const [slice, ...others] = slices(cluster)
    expect(others).toEqual([])
    expect(slice!.metadata.labels).toMatchObject({
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    })
    expect(slice!.ports).toEqual([{ name: '', port: 8000, protocol: 'TCP' }])
    expect(slice!.endpoints.map((e) => e.targetRef!.name).sort()).toEqual(
      cluster
        .pods()
        .map((pod) => pod.metadata.name)
        .sort(),
    )
    for (const endpoint of slice!.endpoints) {
      expect(endpoint.conditions).toEqual({ ready: true, serving: true, terminating: false })
      expect(endpoint.nodeName).toBe('n1')
    }
  })

  it('keep a terminating pod as serving until it is gone', () => {
    const cluster = started(2, {}, { profile, kubelet: { goneAfter: seconds(10) } })
    const [doomed] = cluster.pods()
    cluster.store.delete(Pod, keyOf(doomed!), 'kubectl')
    settle(cluster, seconds(5))
    const endpoint = () => slices(cluster)[0]!.endpoints.find((e) => e.targetRef!.uid === doomed!.metadata.uid)
    expect(endpoint()?.conditions).toEqual({ ready: false, serving: true, terminating: true })
    settle(cluster, seconds(10))
    expect(endpoint()).toBeUndefined()
    expect(slices(cluster)[0]!.endpoints).toHaveLength(2)
  })

  it('are filled up to 100 endpoints each, and one is left empty when all pods go', () => {
    const cluster = started(230, {}, { profile })
    expect(
      slices(cluster)
        .map((slice) => slice.endpoints.length)
        .sort(),
    ).toEqual([100, 100, 30])
    cluster.store.patch(Deployment, WEB, { spec: { replicas: 0 } }, 'kubectl')
    settle(cluster)
    expect(slices(cluster).map((slice) => [slice.endpoints.length, slice.ports.length])).toEqual([[0, 0]])
  })
})

describe('ports and readiness', () => {
  it('finds a named target port in the pod', () => {
    const cluster = started(1, { ports: [{ name: 'api', port: 80, targetPort: 'http', protocol: 'TCP' }] })
    expect(slices(cluster)[0]!.ports).toEqual([{ name: 'api', port: 8000, protocol: 'TCP' }])
  })

  it('gives no port for a name that no container declares', () => {
    const cluster = started(1, { ports: [{ name: 'api', port: 80, targetPort: 'grpc', protocol: 'TCP' }] })
    expect(slices(cluster)[0]!.ports).toEqual([])
    expect(slices(cluster)[0]!.endpoints).toHaveLength(1)
  })

  it('publishes pods that are not ready only when the Service says so', () => {
    const withAddress = (publishNotReadyAddresses: boolean) => {
      const cluster = started(1, { publishNotReadyAddresses })
      const [pod] = cluster.pods()
      const conditions = [{ type: 'Ready', status: 'False' }]
      cluster.store.patch(Pod, keyOf(pod!), { status: { conditions } }, 'kubelet/n1', { subresource: 'status' })
      settle(cluster, ms(100))
      return slices(cluster)[0]!.endpoints[0]!.conditions
    }
    expect(withAddress(false)).toEqual({ ready: false, serving: false, terminating: false })
    expect(withAddress(true)).toEqual({ ready: true, serving: false, terminating: false })
  })

  it('follows a pod whose labels no longer match', () => {
    const cluster = started(2)
    const [pod] = cluster.pods()
    cluster.store.patch(Pod, keyOf(pod!), { metadata: { labels: { app: 'debug' } } }, 'kubectl')
    settle(cluster)
    const uids = slices(cluster)[0]!.endpoints.map((e) => e.targetRef!.uid)
    expect(uids).toHaveLength(2)
    expect(uids).not.toContain(pod!.metadata.uid)
  })

  it('repairs a slice that somebody else changed', () => {
    const cluster = started(2)
    const [slice] = slices(cluster)
    cluster.store.patch(EndpointSlice, keyOf(slice!), { endpoints: [] }, 'kubectl')
    settle(cluster)
    expect(slices(cluster)[0]!.endpoints).toHaveLength(2)
  })
})
