import { describe, expect, it } from 'vitest'
import { Journal } from '../../journal/journal.ts'
import { VirtualClock } from '../../world/clock.ts'
import { EPOCH_MS, ms, seconds } from '../../world/time.ts'
import { createWorld } from '../../world/world.ts'
import { MetricsApis } from '../adapter/metrics-client.ts'
import { AdapterStatusError } from '../adapter/prometheus-adapter.ts'
import { answer, ServerDown } from './router.ts'
import { statusOf } from './status.ts'

/** The JSON a path is answered with at 61.5 s: a Status where it fails. */
function ask(path: string, apis: MetricsApis): unknown {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  clock.runUntil(seconds(61.5))
  let answered: unknown = 'nothing'
  const task = function* () {
    try {
      answered = yield* answer(path, { world, apis, zeroMs: EPOCH_MS })
    } catch (error) {
      answered = error instanceof ServerDown ? 'no answer' : statusOf(error)
    }
  }
  world.spawn('ask', task())
  clock.runUntil(seconds(70))
  return JSON.parse(JSON.stringify(answered))
}

const at = seconds(60.7)

function served() {
  const apis = new MetricsApis()
  const containers = new Map([['app', { cpuNanos: 250_000_000, memoryBytes: 3 * 2 ** 20 }]])
  apis.serve('metrics.k8s.io', 'metrics-server', {
    list: (namespace, selector) =>
      [
        { namespace: 'a', name: 'x', at, windowUs: ms(15_250), containers },
        { namespace: 'b', name: 'y', at, windowUs: seconds(75), containers },
      ].filter((pod) => ['', pod.namespace].includes(namespace) && !selector.matchLabels),
    nodes: () => [{ name: 'n1', at, windowUs: seconds(15), cpuNanos: 0, memoryBytes: 1000 }],
  })
  apis.serve('custom.metrics.k8s.io', 'prometheus-adapter', {
    customMetrics: ['pods/queue', 'namespaces/queue'],
    *bySelector(_, namespace, objects, metric, selector) {
      return [{ name: JSON.stringify([namespace, objects, metric, selector]), milli: 1500, at }]
    },
    *byName(resource, namespace, name, metric) {
      if (metric === 'nope')
        throw new AdapterStatusError(404, `the server could not find the metric nope for ${resource.resource} ${name}`)
      return { name: `${namespace}/${name}`, milli: 2000, at }
    },
  })
  return apis
}

describe('metrics.k8s.io', () => {
  it('has metrics of pods, of a namespace and of all, and of nodes', () => {
    const x = {
      metadata: { name: 'x', namespace: 'a', creationTimestamp: '2026-01-01T00:01:01Z' },
      ...{ timestamp: '2026-01-01T00:01:00Z', window: '15.25s' },
      containers: [{ name: 'app', usage: { cpu: '250000000n', memory: '3072Ki' } }],
    }
    expect(ask('/apis/metrics.k8s.io/v1beta1/namespaces/a/pods', served())).toEqual({
      ...{ kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: {} },
      items: [x],
    })
    expect(ask('/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/x', served())).toEqual({
      ...{ kind: 'PodMetrics', apiVersion: 'metrics.k8s.io/v1beta1' },
      ...x,
    })
    expect(ask('/apis/metrics.k8s.io/v1beta1/pods', served())).toMatchObject({
      items: [x, { metadata: { name: 'y' }, window: '1m15s' }],
    })
    expect(ask('/apis/metrics.k8s.io/v1beta1/nodes/n1', served())).toMatchObject({
      ...{ kind: 'NodeMetrics', metadata: { name: 'n1' } },
      usage: { cpu: '0', memory: '1000' },
    })
    const named = '/apis/metrics.k8s.io/v1beta1/pods?fieldSelector=metadata.namespace%3Db'
    expect(ask(named, served())).toMatchObject({ items: [{ metadata: { name: 'y' } }] })
    const others = '/apis/metrics.k8s.io/v1beta1/pods?fieldSelector=metadata.namespace!%3Db,metadata.name%3D%3Dx'
    expect(ask(others, served())).toMatchObject({ items: [{ metadata: { name: 'x' } }] })
  })

  it('says what is not there, and what it cannot read', () => {
    expect(ask('/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/z', served())).toEqual({
      ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'NotFound', code: 404 },
      message: 'pods.metrics.k8s.io "a/z" not found',
      details: { name: 'a/z', group: 'metrics.k8s.io', kind: 'pods' },
    })
    expect(ask('/apis/metrics.k8s.io/v1beta1/pods?labelSelector=a%20is%20b', served())).toMatchObject({
      ...{ code: 400, reason: 'BadRequest' },
      message: "unable to parse requirement: found 'is', expected: in, notin, =, ==, !=, gt, lt",
    })
    expect(ask('/apis/metrics.k8s.io/v1beta1/pods?fieldSelector=spec.nodeName%3Dn1', served())).toMatchObject({
      ...{ code: 400, reason: 'BadRequest' },
      message: '"spec.nodeName" is not a known field selector: only "metadata.name", "metadata.namespace"',
    })
    expect(ask('/apis/metrics.k8s.io/v2/pods', served())).toMatchObject({ code: 404 })
  })
})

describe('custom.metrics.k8s.io', () => {
  const path = '/apis/custom.metrics.k8s.io'

  it('prefers v1beta2, and lists what the server behind it lists', () => {
    expect(ask(path, served())).toMatchObject({ kind: 'APIGroup', preferredVersion: { version: 'v1beta2' } })
    expect(ask(`${path}/v1beta1`, served())).toMatchObject({
      ...{ kind: 'APIResourceList', groupVersion: 'custom.metrics.k8s.io/v1beta1' },
      resources: [
        { name: 'pods/queue', namespaced: true, kind: 'MetricValueList', verbs: ['get'] },
        { name: 'namespaces/queue', namespaced: false },
      ],
    })
  })

  it('takes objects by a selector, and metrics by another', () => {
    const query = 'labelSelector=app%3Dweb%2Ctier+in+%28a%2Cb%29&metricLabelSelector=model%3Dm'
    const objects = {
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }],
    }
    const selector = { matchLabels: { model: 'm' } }
    expect(ask(`${path}/v1beta2/namespaces/a/pods/*/queue?${query}`, served())).toEqual({
      ...{ kind: 'MetricValueList', apiVersion: 'custom.metrics.k8s.io/v1beta2', metadata: {} },
      items: [
        {
          describedObject: {
            ...{ kind: 'Pod', namespace: 'a', apiVersion: '/v1' },
            name: JSON.stringify(['a', objects, 'queue', selector]),
          },
          ...{ metric: { name: 'queue', selector }, timestamp: '2026-01-01T00:01:00Z', value: '1500m' },
        },
      ],
    })
  })

  it('has one object’s, and those of namespaces and of cluster-wide objects', () => {
    const first = (of: string, version = 'v1beta2') =>
      (ask(`${path}/${version}/${of}`, served()) as { items: object[] }).items[0]
    expect(first('namespaces/a/deployments.apps/web/queue', 'v1beta1')).toMatchObject({
      describedObject: { kind: 'Deployment', apiVersion: 'apps/v1', name: 'a/web' },
      ...{ metricName: 'queue', value: '2' },
    })
    expect(first('namespaces/a/metrics/queue')).toMatchObject({ describedObject: { kind: 'Namespace', name: '/a' } })
    expect(first('nodes/n1/queue')).toMatchObject({ describedObject: { kind: 'Node', name: '/n1' } })
  })

  it('says what it does not find in the words of the server behind it', () => {
    const message = (of: string) => (ask(`${path}/v1beta2/namespaces/a/${of}`, served()) as { message: string }).message
    expect(message('services/s/nope')).toBe('the server could not find the metric nope for services s')
    expect(message('gadgets.example.com/g/queue')).toBe(
      'the server could not find the metric queue for gadgets.example.com',
    )
    expect(message('gadgets.example.com/*/queue')).toBe('Internal error occurred: unable to list matching resources')
    expect(message('pods')).toBe('invalid request path')
  })
})

it('a group nobody serves is not there, and one whose server is down does not answer', () => {
  const apis = served()
  const path = '/apis/external.metrics.k8s.io/v1beta1/namespaces/a/queue'
  expect(ask(path, apis)).toMatchObject({ code: 404, reason: 'NotFound' })
  apis.serve('external.metrics.k8s.io', 'keda', {
    *external(_metric, _namespace, selector) {
      if (!selector) throw new Error('scaledObject name is not specified')
      return [{ milli: 12_000, at }]
    },
  })
  expect(ask(path, apis)).toEqual({
    ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: 500 },
    message: 'scaledObject name is not specified',
  })
  expect(ask(`${path}?labelSelector=a`, apis)).toMatchObject({
    items: [{ metricName: 'queue', metricLabels: null, value: '12' }],
  })
  expect(ask('/apis/external.metrics.k8s.io/v1beta1', apis)).toMatchObject({ resources: [{ name: 'externalmetrics' }] })
  const heal = apis.stop()
  expect(ask('/apis/external.metrics.k8s.io/v1beta1', apis)).toBe('no answer')
  heal()
  expect(ask('/apis/external.metrics.k8s.io/v1beta1', apis)).toMatchObject({ kind: 'APIResourceList' })
})
