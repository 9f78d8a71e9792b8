import { describe, expect, it } from 'vitest'
import type { MetricsClient } from '../../autoscaling/metrics-client.ts'
import type { Task } from '../../world/actor.ts'
import { ms, seconds } from '../../world/time.ts'
import { TsdbQuerier } from '../promql/engine.ts'
import { type Querier, QueryError } from '../querier.ts'
import { scrapeWorld } from '../scrape/test-kit.ts'
import { parseAdapterConfig } from './config.ts'
import { MetricsApis, metricsClient } from './metrics-client.ts'
import { PrometheusAdapter } from './prometheus-adapter.ts'
import { adapterResources } from './resource-rules.ts'
import { CONFIG } from './test-kit.ts'

function world() {
  const w = scrapeWorld()
  const engine: Querier = new TsdbQuerier(w.tsdb)
  let down = false
  const querier: Querier = {
    instant: (expr, at) => {
      if (down) throw new QueryError('PROMQL_UNAVAILABLE', 'connect: connection refused')
      return engine.instant(expr, at)
    },
  }
  for (const [name, ip] of [
    ['a', '10.0.0.1'],
    ['b', '10.0.0.2'],
    ['c', '10.0.0.3'],
  ] as const)
    w.pod(name, ip)
  const put = (name: string, labels: Record<string, string>, value: number) => {
    const ref = w.tsdb.series({ __name__: name, ...labels })
    w.tsdb.append(ref, w.clock.now, value)
  }
  const adapter = (config = CONFIG) =>
    new PrometheusAdapter({
      world: w.world,
      kube: w.kube,
      querier,
      config: parseAdapterConfig(config),
      relistIntervalUs: seconds(60),
    })
  const apis = new MetricsApis()
  const client = metricsClient({
    world: w.world,
    apis,
    latency: [
      [0, ms(3)],
      [1, ms(3)],
    ],
    process: 'kube-controller-manager',
  })
  /** What a call of the client gives, or its error's message. */
  const call = <T>(task: (client: MetricsClient) => Task<T>): T | string => {
    let outcome: T | string = 'no answer'
    w.world.spawn(
      'test',
      (function* () {
        try {
          outcome = yield* task(client)
        } catch (error) {
          outcome = (error as Error).message
        }
      })(),
    )
    w.clock.runUntil(w.clock.now + seconds(1))
    return outcome
  }
  const waiting = (client: MetricsClient) =>
    client.pods('vllm_num_requests_waiting', 'default', { matchLabels: { app: 'web' } }, undefined)
  return { ...w, querier, put, adapter, apis, call, waiting, goDown: () => (down = true) }
}

describe('custom metrics of pods', () => {
  it('are found once their series were listed, with values of the pods that have some', () => {
    const w = world()
    w.apis.serve('custom.metrics.k8s.io', 'prometheus-adapter', w.adapter())
    w.at(5)
    w.put('vllm:num_requests_waiting', { namespace: 'default', pod: 'a' }, 3.5)
    w.put('vllm:num_requests_waiting', { namespace: 'default', pod: 'b' }, 2)
    const missing =
      'unable to fetch metrics from custom metrics API: the server could not find the metric vllm_num_requests_waiting for pods'
    expect(w.call(w.waiting)).toBe(missing)
    w.at(60)
    w.put('vllm:num_requests_waiting', { namespace: 'default', pod: 'a' }, 3.5)
    w.put('vllm:num_requests_waiting', { namespace: 'default', pod: 'b' }, 2)
    const result = w.call(w.waiting)
    if (typeof result === 'string') throw new Error(result)
    expect([...result.pods].map(([name, v]) => [name, v.milli])).toEqual([
      ['a', 3500],
      ['b', 2000],
    ])
    // whole seconds, as in the API's JSON
    expect(result.at).toBe(seconds(60))
    // no series in the last listing's span: forgotten
    w.at(300)
    expect(w.call(w.waiting)).toBe(missing)
  })

  it('are no metrics when no pod has a value, and no details are told when Prometheus is down', () => {
    const w = world()
    w.put('vllm:num_requests_waiting', { namespace: 'default', pod: 'gone' }, 1)
    w.at(1)
    w.apis.serve('custom.metrics.k8s.io', 'prometheus-adapter', w.adapter())
    expect(w.call(w.waiting)).toBe('no metrics returned from custom metrics API')
    w.goDown()
    const failed = 'unable to fetch metrics from custom metrics API: Internal error occurred: unable to fetch metrics'
    expect(w.call(w.waiting)).toBe(failed)
    // a failed listing leaves the last one
    w.at(100)
    expect(w.call(w.waiting)).toBe(failed)
  })

  it('of one object are found by its name', () => {
    const w = world()
    w.put('vllm:num_requests_waiting', { namespace: 'default', pod: 'a' }, 7)
    w.at(1)
    w.apis.serve('custom.metrics.k8s.io', 'prometheus-adapter', w.adapter())
    const of = (name: string, kind = 'Pod', apiVersion = 'v1') =>
      w.call((c) => c.object('vllm_num_requests_waiting', 'default', { apiVersion, kind, name }, undefined))
    expect(of('a')).toMatchObject({ milli: 7000 })
    expect(of('b')).toBe(
      'unable to fetch metrics from custom metrics API: the server could not find the metric vllm_num_requests_waiting for pods b',
    )
    expect(of('x', 'Deployment', 'apps/v1')).toBe(
      'unable to fetch metrics from custom metrics API: the server could not find the metric vllm_num_requests_waiting for deployments.apps',
    )
  })
})

describe('external metrics', () => {
  it('are every series of the query', () => {
    const w = world()
    w.put('queue_depth', { namespace: 'default', queue: 'x', pod: 'p' }, 4.0005)
    w.put('queue_depth', { namespace: 'default', queue: 'y' }, 6)
    w.put('queue_depth', { namespace: 'other', queue: 'z' }, 9)
    w.at(1)
    w.apis.serve('external.metrics.k8s.io', 'prometheus-adapter', w.adapter())
    const all = w.call((c) => c.external('queue_depth', 'default', undefined))
    expect(all).toMatchObject({ milli: [4000, 6000] })
    expect(w.call((c) => c.external('queue_depth', 'default', { matchLabels: { queue: 'y' } }))).toMatchObject({
      milli: [6000],
    })
    expect(w.call((c) => c.external('queue_depth', 'default', { matchLabels: { queue: 'none' } }))).toBe(
      'no metrics returned from external metrics API',
    )
    expect(w.call((c) => c.external('nope', 'apps', undefined))).toBe(
      'unable to fetch metrics from external metrics API: the server could not find the metric nope for ',
    )
  })

  it('have one server: who registers last', () => {
    const w = world()
    w.apis.serve('external.metrics.k8s.io', 'prometheus-adapter', w.adapter())
    w.apis.serve('external.metrics.k8s.io', 'keda', {
      *external() {
        return [{ milli: 5, at: 0 }]
      },
    })
    expect(w.call((c) => c.external('s0-prometheus', 'default', undefined))).toMatchObject({ milli: [5] })
    expect(w.apis.servedBy('external.metrics.k8s.io')).toBe('keda')
    expect(w.apis.conflicts).toEqual([{ group: 'external.metrics.k8s.io', lost: 'prometheus-adapter', serves: 'keda' }])
  })
})

describe('an API nobody serves, or whose server is down', () => {
  const calls = (w: ReturnType<typeof world>) => [
    w.call((c) => c.resource('cpu', 'default', {})),
    w.call(w.waiting),
    w.call((c) => c.external('queue', 'default', undefined)),
  ]

  it('says so in the words the HPA shows', () => {
    const w = world()
    expect(calls(w)).toEqual([
      'unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
      'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
      'unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)',
    ])
    const adapter = w.adapter()
    w.apis.serve('metrics.k8s.io', 'metrics-server', { list: () => [] })
    w.apis.serve('custom.metrics.k8s.io', 'prometheus-adapter', adapter)
    w.apis.serve('external.metrics.k8s.io', 'prometheus-adapter', adapter)
    const heal = w.apis.stop()
    expect(calls(w)).toEqual([
      'unable to fetch metrics from resource metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)',
      'unable to fetch metrics from custom metrics API: the server is currently unable to handle the request (get pods.custom.metrics.k8s.io *)',
      'unable to fetch metrics from external metrics API: the server is currently unable to handle the request (get queue.external.metrics.k8s.io)',
    ])
    heal()
    heal()
    expect(calls(w)[0]).toBe('no metrics returned from resource metrics API')
  })
})

describe('resource metrics', () => {
  it('are sums over containers, or one container’s; CPU rounds up to millicores', () => {
    const w = world()
    const containers = new Map([
      ['main', { cpuNanos: 250_000_001, memoryBytes: 1000 }],
      ['side', { cpuNanos: 1, memoryBytes: 5 }],
    ])
    w.apis.serve('metrics.k8s.io', 'metrics-server', {
      list: () => [{ namespace: 'default', name: 'a', at: seconds(12.7), windowUs: seconds(15), containers }],
    })
    const of = (resource: string, container?: string) => {
      const result = w.call((c) => c.resource(resource, 'default', {}, container))
      return typeof result === 'string' ? result : result.pods.get('a')
    }
    expect(of('cpu')).toEqual({ milli: 252, at: seconds(12), windowUs: seconds(15) })
    expect(of('cpu', 'side')).toMatchObject({ milli: 1 })
    expect(of('memory')).toMatchObject({ milli: 1_005_000 })
    expect(of('cpu', 'nobody')).toBeUndefined()
  })

  it('can come from the adapter’s resource rules', () => {
    const w = world()
    const rules = parseAdapterConfig(`
resourceRules:
  cpu:
    containerQuery: sum(rate(cpu_total{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)
    nodeQuery: x
    resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
    containerLabel: container
  memory:
    containerQuery: sum(mem{<<.LabelMatchers>>}) by (<<.GroupBy>>)
    nodeQuery: x
    resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
    containerLabel: container
  window: 1m`).resourceRules!
    w.apis.serve(
      'metrics.k8s.io',
      'prometheus-adapter',
      adapterResources({ world: w.world, kube: w.kube, querier: w.querier, rules }),
    )
    for (const t of [0, 30, 60]) {
      w.at(t)
      for (const pod of ['a', 'b']) w.put('cpu_total', { namespace: 'default', pod, container: 'main' }, t * 0.5)
      w.put('mem', { namespace: 'default', pod: 'a', container: 'main' }, 2048)
    }
    const result = w.call((c) => c.resource('cpu', 'default', { matchLabels: { app: 'web' } }))
    if (typeof result === 'string') throw new Error(result)
    // b has no memory: it has no metrics at all
    expect([...result.pods].map(([name, v]) => [name, v.milli, v.windowUs])).toEqual([['a', 500, seconds(60)]])
  })
})
