import { describe, expect, it } from 'vitest'
import { serviceOf, settle, testCluster, WEB } from '../controllers/testkit.ts'
import { EndpointSlice, Service } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import type { InferenceObserver, InferenceRequest, InferenceServer } from '../nodes/program.ts'
import { ms, seconds } from '../world/time.ts'
import { KubeProxy } from './kube-proxy.ts'
import { PodNetwork } from './pod-network.ts'
import { createRoute } from './route.ts'

const IP = '10.244.0.1'

const request: InferenceRequest = { id: 'r1', model: 'm', promptTokens: 1, outputTokens: 1, stream: true }

/** A server that answers 10 ms after it was asked, and never when it hangs. */
function server(clock: { now: number; after(delay: number, fn: () => void): unknown }, hangs = false): InferenceServer {
  return {
    submit(_port, _request, observer) {
      if (!hangs) clock.after(ms(10), () => observer.finished({ at: clock.now, outputTokens: 1, reason: 'stop' }))
      return () => {}
    },
  }
}

function reachable(ready = true) {
  const cluster = testCluster({ controllers: [] })
  cluster.store.create(Service, serviceOf({ internalTrafficPolicy: 'Local' }), 'kubectl')
  const slice: o.EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'web-1',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'web' },
    } as unknown as o.ObjectMeta,
    addressType: 'IPv4',
    endpoints: [{ addresses: [IP], conditions: { ready, serving: ready, terminating: false }, nodeName: 'n1' }],
    ports: [{ name: '', port: 8000, protocol: 'TCP' }],
  }
  cluster.store.create(EndpointSlice, slice, 'test')
  const proxy = new KubeProxy({ world: cluster.world, kube: cluster.kube('kube-proxy/n1'), nodeName: 'n1' })
  settle(cluster, seconds(5))
  const network = new PodNetwork()
  const route = createRoute({ world: cluster.world, proxy, network, service: WEB, port: 80 })
  const fates: string[] = []
  const from = cluster.clock.now
  const after = () => `${(cluster.clock.now - from) / 1e3}ms`
  const observer: InferenceObserver & { routed(pod: string): void } = {
    firstToken: () => {},
    routed: (pod) => fates.push(`routed to ${pod}`),
    finished: ({ reason }) => fates.push(`${reason} after ${after()}`),
    failed: ({ kind, message }) => fates.push(`${kind} ${message} after ${after()}`),
  }
  return { ...cluster, network, fates, send: () => route.send(request, observer) }
}

describe('a route', () => {
  it('hands a request to the pod behind the address that was drawn', () => {
    const { network, send, fates, clock } = reachable()
    network.register(IP, { podKey: 'default/web-x', accepts: () => true, inference: server(clock) })
    send()
    clock.runUntil(clock.now + ms(10))
    expect(fates).toEqual(['routed to default/web-x', 'stop after 10ms'])
  })

  it('is refused at once by a pod that no longer listens, and by a Service without endpoints', () => {
    const { network, send, fates } = reachable()
    network.register(IP, { podKey: 'default/web-x', accepts: () => false })
    send()
    expect(fates).toEqual(['routed to default/web-x', 'refused connect: connection refused after 0ms'])
    const none = reachable(false)
    none.send()
    expect(none.fates).toEqual(['no-endpoints connect: connection refused after 0ms'])
  })

  it('has no way to a pod that is gone while the rules still name it', () => {
    const { send, fates, clock } = reachable()
    send()
    clock.runUntil(clock.now + seconds(10))
    expect(fates).toEqual(['refused connect: no route to host after 3000ms'])
  })

  it('is tried again while the rules drop it, and for 127 seconds at most', () => {
    const { network, send, fates, clock, store } = reachable()
    network.register(IP, { podKey: 'default/web-x', accepts: () => true, inference: server(clock) })
    const place = (nodeName: string) => {
      const { endpoints } = store.get(EndpointSlice, 'default/web-1')
      store.patch(EndpointSlice, 'default/web-1', { endpoints: [{ ...endpoints[0]!, nodeName }] }, 'test')
      clock.runUntil(clock.now + seconds(2))
    }
    place('n2')
    send()
    clock.runUntil(clock.now + seconds(4))
    place('n1')
    clock.runUntil(clock.now + seconds(10))
    // sent 2 s in; the retries are 1, 3 and 7 s after it
    expect(fates).toEqual(['routed to default/web-x', 'stop after 9010ms'])
    place('n2')
    send()
    clock.runUntil(clock.now + seconds(200))
    expect(fates.at(-1)).toMatch(/^refused connect: connection timed out/)
  })

  it('tells nothing more once the client has hung up', () => {
    const { send, fates, clock } = reachable()
    const hangUp = send()
    hangUp()
    clock.runUntil(clock.now + seconds(10))
    expect(fates).toEqual([])
  })
})
