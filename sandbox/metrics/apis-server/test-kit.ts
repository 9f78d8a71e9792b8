import { podTemplate } from '../../controllers/testkit.ts'
import { Deployment, HorizontalPodAutoscaler, Pod } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { seconds, toRfc3339, type Us } from '../../world/time.ts'
import type { MetricsApis } from '../adapter/metrics-client.ts'
import { AdapterStatusError } from '../adapter/prometheus-adapter.ts'

/** What servers of the platform say: two pods' worth of load for each pod there is, until there are four. */
export function serve(apis: MetricsApis, kube: () => Kube, now: () => Us): void {
  const pods = (selector: o.LabelSelector) => kube().list(Pod, { namespace: 'default', selector })
  const each = (selector: o.LabelSelector) => 8000 / pods(selector).length
  const used = (milli: number) => new Map([['app', { cpuNanos: milli * 1e6, memoryBytes: 2 ** 30 }]])
  apis.serve('metrics.k8s.io', 'metrics-server', {
    list: (_, selector) =>
      pods(selector)
        .filter(({ metadata }) => metadata.labels?.['app'] !== 'none')
        .map(({ metadata: { name } }) => ({
          ...{ name, namespace: 'default', at: now(), windowUs: seconds(15), containers: used(each(selector) / 10) },
        })),
    nodes: () => [{ name: 'n1', at: now(), windowUs: seconds(15), cpuNanos: 1.5e9, memoryBytes: 3 * 2 ** 30 }],
  })
  const missing = (metric: string, about: string) =>
    new AdapterStatusError(404, `the server could not find the metric ${metric} for ${about}`)
  apis.serve('custom.metrics.k8s.io', 'prometheus-adapter', {
    customMetrics: ['pods/queue', 'services/inflight'],
    *bySelector({ resource }, _, selector, metric): Task<{ name: string; milli: number; at: Us }[]> {
      if (metric === 'broken') throw new AdapterStatusError(500, 'Internal error occurred: unable to fetch metrics')
      if (metric !== 'queue') throw missing(metric, resource)
      return pods(selector).map(({ metadata: { name } }) => ({ name, milli: each(selector), at: now() }))
    },
    *byName({ resource }, _, name, metric): Task<{ name: string; milli: number; at: Us }> {
      if (metric !== 'inflight' || name !== 'object') throw missing(metric, `${resource} ${name}`)
      return { name, milli: 8000, at: now() }
    },
  })
  apis.serve('external.metrics.k8s.io', 'keda', {
    *external(metric, _, selector): Task<{ milli: number; at: Us; labels?: Record<string, string> }[]> {
      if (metric === 'empty') return []
      if (selector?.matchLabels?.['scaledobject.keda.sh/name'] !== 'chat')
        throw new Error('scaledObject name is not specified')
      return [
        { milli: 2500, at: now(), labels: { queue: 'a' } },
        { milli: 5500, at: now() },
      ]
    },
  })
}

const target = { type: 'AverageValue', averageValue: '2' } as const
const external = (name: string, matchLabels?: Record<string, string>): o.MetricSpec => ({
  type: 'External',
  external: { metric: { name, ...(matchLabels ? { selector: { matchLabels } } : {}) }, target },
})
const describedObject = (name: string) => ({ apiVersion: 'v1', kind: 'Service', name })

/** HPAs by name, each on a Deployment of its own: those that scale to four, and those that cannot say. */
export const SCALES: Readonly<Record<string, o.MetricSpec>> = {
  resource: { type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '200m' } } },
  pods: { type: 'Pods', pods: { metric: { name: 'queue' }, target } },
  object: {
    type: 'Object',
    object: { metric: { name: 'inflight' }, describedObject: describedObject('object'), target },
  },
  external: external('chat-queue', { 'scaledobject.keda.sh/name': 'chat' }),
}
const FAILS: Readonly<Record<string, o.MetricSpec>> = {
  none: { type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '1' } } },
  'missing-pods': { type: 'Pods', pods: { metric: { name: 'nope' }, target } },
  'broken-pods': { type: 'Pods', pods: { metric: { name: 'broken' }, target } },
  'missing-object': {
    type: 'Object',
    object: { metric: { name: 'inflight' }, describedObject: describedObject('other'), target },
  },
  'unknown-kind': {
    type: 'Object',
    object: {
      metric: { name: 'inflight' },
      describedObject: { apiVersion: 'example.com/v1', kind: 'Gadget', name: 'g' },
      target,
    },
  },
  'refused-external': external('chat-queue'),
  'empty-external': external('empty'),
}
export const NAMES = [...Object.keys(SCALES), ...Object.keys(FAILS)]

export function* make(kube: Kube): Task {
  for (const name of NAMES) {
    const labels = { app: name }
    const container = { resources: { requests: { cpu: '1' } } }
    const template = podTemplate(labels, 'v1')
    template.spec.containers[0] = { ...template.spec.containers[0]!, ...container } as o.Container
    yield* kube.create(Deployment, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' } },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    } as never)
    yield* kube.create(HorizontalPodAutoscaler, {
      ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name, namespace: 'default' } },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        ...{ maxReplicas: 6, metrics: [SCALES[name] ?? FAILS[name]!] },
      },
    } as never)
  }
}

/** Runs pods without a node: bound, and ready at once. */
export function playKubelet(kube: Kube, spawn: (task: Task) => void): void {
  const seen = new Set<string>()
  const ready = function* ({ metadata: { uid, namespace, name } }: o.Pod): Task {
    yield* kube.bind(`${namespace}/${name}`, uid, 'n1')
    const at = toRfc3339(0)
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: at }]
    const status = { phase: 'Running', startTime: at, conditions }
    yield* kube.patch(Pod, `${namespace}/${name}`, { status }, { subresource: 'status' })
  }
  kube.watch(Pod, {
    added(pod) {
      if (!seen.has(pod.metadata.uid)) spawn(ready(pod))
      seen.add(pod.metadata.uid)
    },
  })
}
