import { settle, testCluster } from '../../controllers/testkit.ts'
import { EndpointSlice, kindOf, Service } from '../../kube/kinds.ts'
import { instant } from '../../kube/lag.ts'
import type * as o from '../../kube/objects.ts'
import type { InferenceObserver, InferenceRequest } from '../../nodes/program.ts'
import type { VirtualClock } from '../../world/clock.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import { PodNetwork } from '../pod-network.ts'
import { Entries, type EntryPoint } from './entry.ts'

/** How a pod behind a gateway behaves, for tests. */
export interface Upstream {
  /** Left out: it is ready. */
  readonly state?: 'notReady' | 'terminating'
  /** Left out: it listens. `gone`: nothing has its address. */
  readonly port?: 'closed' | 'gone'
  /** When the head of the answer goes out; left out: at once. */
  readonly headAfter?: Us
  readonly tokenAfter?: Us
  /** When the answer is complete; left out: 10 ms. */
  readonly doneAfter?: Us
  readonly fails?: { readonly kind: 'http' | 'reset'; readonly status?: number; readonly after: Us }
}

const CONDITIONS = {
  ready: { ready: true, serving: true, terminating: false },
  notReady: { ready: false, serving: false, terminating: false },
  terminating: { ready: false, serving: true, terminating: true },
}

/** A cluster with Services of such pods, and the ways into it. */
export function edge(services: Readonly<Record<string, readonly Upstream[]>>, seed = 1) {
  const cluster = testCluster({ controllers: [], profile: instant, seed, kubelet: false })
  const { store, world, clock } = cluster
  const network = new PodNetwork()
  const served = new Map<string, number>()
  let address = 0
  const apply = (...objects: object[]) => {
    for (const object of objects) {
      const draft = object as o.OtherObject
      const metadata = { namespace: 'default', ...draft.metadata }
      store.create(kindOf(draft), { ...draft, metadata } as never, 'kubectl')
    }
  }
  const endpointOf = (service: string, upstream: Upstream): o.Endpoint => {
    const ip = `10.244.0.${++address}`
    const podKey = `default/${service}-${address}`
    if (upstream.port !== 'gone')
      network.register(ip, {
        podKey,
        accepts: () => upstream.port !== 'closed',
        inference: {
          submit(_port, request, observer) {
            served.set(podKey, (served.get(podKey) ?? 0) + 1)
            return answer(clock, upstream, request, observer)
          },
        },
      })
    return { addresses: [ip], conditions: CONDITIONS[upstream.state ?? 'ready'], nodeName: 'n1' }
  }
  for (const [name, upstreams] of Object.entries(services)) {
    apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { ports: [{ port: 80, targetPort: 8000, protocol: 'TCP' }] },
    })
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: upstreams.map((upstream) => endpointOf(name, upstream)),
      ports: [{ name: '', port: 8000, protocol: 'TCP' }],
    }
    store.create(EndpointSlice, slice as unknown as o.EndpointSlice, 'test')
  }
  const entries = new Entries({
    world,
    network,
    kubeOf: cluster.kube,
    reach: () => {
      throw new Error('not asked for here')
    },
  })
  settle(cluster, seconds(1))
  const way = { clock, entries }
  return {
    ...cluster,
    network,
    entries,
    apply,
    served,
    send: (point: EntryPoint, changes: Partial<InferenceRequest> = {}) => send(way, point, changes),
    /** Sends one and waits for its end. */
    fate(point: EntryPoint, changes: Partial<InferenceRequest> = {}): string {
      const result = send(way, point, changes)
      clock.runUntil(clock.now + seconds(7200))
      return result.fate
    },
    /** How many of `n` requests each Service answered, by the first part of its pods' names, or each status that came instead. */
    share: (point: EntryPoint, n: number) => share(way, point, n),
    setEndpoints(service: string, upstreams: readonly Upstream[]): void {
      const endpoints = upstreams.map((upstream) => endpointOf(service, upstream))
      store.patch(EndpointSlice, `default/${service}-1`, { endpoints }, 'test')
    },
    deleteService: (name: string) => store.delete(Service, `default/${name}`, 'kubectl'),
  }
}

interface Way {
  readonly clock: VirtualClock
  readonly entries: Entries
}

function send({ clock, entries }: Way, point: EntryPoint, changes: Partial<InferenceRequest>): { fate: string } {
  const result = { fate: 'open' }
  const from = clock.now
  const after = () => `${(clock.now - from) / 1e3}ms`
  const request = { id: 'r', model: 'm', promptTokens: 10, outputTokens: 1, stream: true, ...changes }
  entries.enter(point).send(request, {
    firstToken: () => {},
    finished: () => {
      result.fate = `ok after ${after()}`
    },
    failed: ({ kind, status, message, by }) => {
      result.fate = `${kind}${status ? ` ${status}` : ''} ${message} after ${after()}${by ? ` | ${by}` : ''}`
    },
  })
  return result
}

function share({ clock, entries }: Way, point: EntryPoint, n: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let i = 0; i < n; i++) {
    let [pod, end] = ['none', 'open']
    entries.enter(point).send(
      { id: `s${i}`, model: 'm', promptTokens: 1, outputTokens: 1, stream: false },
      {
        routed: (key) => {
          pod = key.replace(/^default\/(.*)-\d+$/, '$1')
        },
        firstToken: () => {},
        finished: () => {
          end = pod
        },
        failed: ({ status }) => {
          end = `${status}`
        },
      },
    )
    clock.runUntil(clock.now + seconds(1))
    counts[end] = (counts[end] ?? 0) + 1
  }
  return counts
}

/** What such a pod's server says to a request. */
function answer(clock: VirtualClock, upstream: Upstream, request: InferenceRequest, observer: InferenceObserver) {
  const { headAfter = 0, tokenAfter, doneAfter = ms(10), fails } = upstream
  let last = clock.now
  const timers = [
    clock.after(headAfter, () => {
      last = clock.now
      if (request.stream && fails?.kind !== 'http' && !(fails && fails.after <= headAfter))
        observer.headers?.(last, () => last)
    }),
    clock.after(fails?.after ?? doneAfter, () => {
      if (fails) observer.failed({ at: clock.now, kind: fails.kind, status: fails.status ?? 0, message: 'upstream' })
      else observer.finished({ at: clock.now, outputTokens: 1, reason: 'stop' })
    }),
  ]
  if (tokenAfter !== undefined && request.stream)
    timers.push(
      clock.after(tokenAfter, () => {
        last = clock.now
        observer.firstToken(last)
      }),
    )
  return () => {
    for (const timer of timers) timer.cancel()
  }
}

export const ENVOY = 'gateway.envoyproxy.io/gatewayclass-controller'

/** A Gateway `gw` with one HTTP listener on port 80. */
export const gatewayOf = (listeners: object[] = [{ name: 'http', port: 80, protocol: 'HTTP' }]): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'gw' },
  spec: { gatewayClassName: 'eg', listeners },
})

export const routeOf = (rules: object[], more: object = {}, name = 'chat'): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: { parentRefs: [{ name: 'gw' }], rules, ...more },
})

export const ref = (name: string, more: object = {}): object => ({ name, port: 80, ...more })

type Head = { host?: string; path?: string; headers?: Record<string, string>; modelHeader?: string }

export const byGateway = (head: Head = {}, controller: string = ENVOY, port = 80): EntryPoint => ({
  via: 'gateway',
  gateway: 'default/gw',
  port,
  controller,
  request: { host: 'chat.example.com', path: '/v1/chat/completions', headers: {}, ...head },
})

export const byIngress = (head: Head = {}, settings: Record<string, string> = {}): EntryPoint => ({
  via: 'ingress',
  className: 'nginx',
  controller: 'k8s.io/ingress-nginx',
  settings,
  request: { host: 'chat.example.com', path: '/v1/chat/completions', headers: {}, ...head },
})
