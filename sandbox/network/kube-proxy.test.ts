import { describe, expect, it } from 'vitest'
import { serviceOf, settle, testCluster, WEB } from '../controllers/testkit.ts'
import { EndpointSlice, Service } from '../kube/kinds.ts'
import { instant } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { ms, seconds, type Us } from '../world/time.ts'
import { type Connect, KubeProxy, type Verdict } from './kube-proxy.ts'

type State = 'ready' | 'terminating' | 'notReady'

const CONDITIONS: Record<State, o.Endpoint['conditions']> = {
  ready: { ready: true, serving: true, terminating: false },
  terminating: { ready: false, serving: true, terminating: true },
  notReady: { ready: false, serving: false, terminating: false },
}

const slice = (endpoints: o.Endpoint[]): o.EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'web-1',
    namespace: 'default',
    labels: { 'kubernetes.io/service-name': 'web' },
  } as unknown as o.ObjectMeta,
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: '', port: 8000, protocol: 'TCP' }],
})

const endpoint = (last: number, state: State, nodeName = 'n2'): o.Endpoint => ({
  addresses: [`10.244.0.${last}`],
  conditions: CONDITIONS[state],
  nodeName,
})

function entry(
  endpoints: o.Endpoint[],
  spec: Partial<o.Service['spec']> = {},
  more: { writeTime?: { min: Us; max: Us } } = {},
) {
  const cluster = testCluster({ controllers: [], profile: instant })
  cluster.store.create(Service, serviceOf(spec), 'kubectl')
  cluster.store.create(EndpointSlice, slice(endpoints), 'test')
  const proxy = new KubeProxy({ world: cluster.world, kube: cluster.kube('kube-proxy/n1'), nodeName: 'n1', ...more })
  settle(cluster, seconds(5))
  const connect = (how: Partial<Connect> = {}) =>
    proxy.connect({ service: WEB, port: 80, clientIP: 'a', from: 'cluster', ...how })
  const set = (next: o.Endpoint[]) => cluster.store.patch(EndpointSlice, 'default/web-1', { endpoints: next }, 'test')
  return { ...cluster, connect, set }
}

const ipOf = (verdict: Verdict) => (typeof verdict === 'string' ? verdict : verdict.to.ip)

describe('kube-proxy', () => {
  it('draws each connection among the ready endpoints alike', () => {
    const { connect } = entry([
      endpoint(1, 'ready'),
      endpoint(2, 'ready'),
      endpoint(3, 'terminating'),
      endpoint(4, 'notReady'),
    ])
    const counts = new Map<string, number>()
    for (let i = 0; i < 2000; i++) {
      const ip = ipOf(connect())
      counts.set(ip, (counts.get(ip) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual(['10.244.0.1', '10.244.0.2'])
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(100)
  })

  it('falls back to endpoints that terminate and still serve', () => {
    const { connect } = entry([endpoint(3, 'terminating'), endpoint(4, 'notReady')])
    expect(ipOf(connect())).toBe('10.244.0.3')
  })

  it('refuses when there is no endpoint, and knows nothing of other ports', () => {
    const { connect } = entry([endpoint(4, 'notReady')])
    expect(connect()).toBe('reject')
    expect(connect({ port: 81 })).toBe('none')
  })

  it('goes by the old rules until the new ones are written', () => {
    const { connect, set, clock } = entry([endpoint(1, 'ready')], {}, { writeTime: { min: ms(20), max: ms(60) } })
    set([endpoint(2, 'ready')])
    clock.runUntil(clock.now + ms(20) - 1)
    expect(ipOf(connect())).toBe('10.244.0.1')
    clock.runUntil(clock.now + ms(40) + 1)
    expect(ipOf(connect())).toBe('10.244.0.2')
  })

  it('takes a change at once when idle, and the next only a second later', () => {
    const { connect, set, clock } = entry([endpoint(1, 'ready')])
    set([endpoint(2, 'ready')])
    clock.runUntil(clock.now + ms(1))
    expect(ipOf(connect())).toBe('10.244.0.2')
    set([endpoint(3, 'ready')])
    clock.runUntil(clock.now + ms(990))
    expect(ipOf(connect())).toBe('10.244.0.2')
    clock.runUntil(clock.now + ms(20))
    expect(ipOf(connect())).toBe('10.244.0.3')
  })

  it('keeps local traffic on its node, and drops it when the node has no endpoint', () => {
    const local = { internalTrafficPolicy: 'Local' } as const
    const both = [endpoint(1, 'ready', 'n1'), endpoint(2, 'ready', 'n2')]
    const { connect } = entry(both, local)
    expect(new Set(Array.from({ length: 50 }, () => ipOf(connect())))).toEqual(new Set(['10.244.0.1']))
    expect(entry([endpoint(2, 'ready', 'n2')], local).connect()).toBe('drop')
    expect(entry([], local).connect()).toBe('reject')
    const outside = entry([endpoint(2, 'ready', 'n2')], { type: 'NodePort', externalTrafficPolicy: 'Local' })
    expect(outside.connect({ from: 'outside' })).toBe('drop')
    expect(ipOf(outside.connect())).toBe('10.244.0.2')
  })

  it('keeps a client with its endpoint for the affinity timeout', () => {
    const endpoints = Array.from({ length: 8 }, (_, i) => endpoint(i + 1, 'ready'))
    const { connect, set, clock } = entry(endpoints, { sessionAffinity: 'ClientIP' })
    const first = ipOf(connect())
    expect(Array.from({ length: 20 }, () => ipOf(connect()))).toEqual(Array(20).fill(first))
    expect(new Set(['b', 'c', 'd', 'e', 'f'].map((clientIP) => ipOf(connect({ clientIP })))).size).toBeGreaterThan(1)
    set(endpoints.filter((e) => e.addresses[0] !== first))
    clock.runUntil(clock.now + seconds(2))
    expect(ipOf(connect())).not.toBe(first)
  })
})
