import { type MetricsClient, MetricsError, type PodMetrics } from '../../autoscaling/metrics-client.ts'
import { type Quantiles, sample } from '../../kube/lag.ts'
import type { LabelSelector } from '../../kube/objects.ts'
import { sleep, type Task } from '../../world/actor.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { NamedNodeUsage, NamedPodUsage } from '../resource/metrics-server.ts'
import { type GroupResource, resourceFor, resourceOfKind, textOf } from './group-resource.ts'
import type { CustomValue } from './prometheus-adapter.ts'

/** What serves metrics.k8s.io: metrics-server, or an adapter with resource rules. */
export interface ResourceBackend {
  /** Of one namespace, or of all where it is ''. */
  list(namespace: string, selector: LabelSelector): readonly NamedPodUsage[] | Task<readonly NamedPodUsage[]>
  /** Of nodes, by name. Left out: it has none. */
  nodes?(selector: LabelSelector): readonly NamedNodeUsage[]
}

/** What serves custom.metrics.k8s.io. An error's message is that of the Status it answers with. */
export interface CustomBackend {
  /** What discovery lists: `pods/queue_depth`. Left out: nothing. */
  readonly customMetrics?: readonly string[]
  byName(
    resource: GroupResource,
    namespace: string,
    name: string,
    metric: string,
    selector?: LabelSelector,
  ): Task<CustomValue>
  bySelector(
    resource: GroupResource,
    namespace: string,
    objects: LabelSelector,
    metric: string,
    selector?: LabelSelector,
  ): Task<readonly CustomValue[]>
}

/** What serves external.metrics.k8s.io: an adapter or KEDA. */
export interface ExternalBackend {
  /** What discovery lists. Left out: KEDA's one name for all of its own. */
  readonly externalMetrics?: readonly string[]
  external(metric: string, namespace: string, selector?: LabelSelector): Task<readonly ExternalValue[]>
}

/** A value of one series. */
export interface ExternalValue {
  readonly milli: number
  readonly at: Us
  readonly labels?: Readonly<Record<string, string>>
}

interface Backends {
  'metrics.k8s.io': ResourceBackend
  'custom.metrics.k8s.io': CustomBackend
  'external.metrics.k8s.io': ExternalBackend
}
export type MetricsGroup = keyof Backends

/**
 * The APIServices of the metrics groups. Each group has one: whoever registers last serves it, and what another served before is
 * gone, as when adapter and KEDA both bring `v1beta1.external.metrics.k8s.io`.
 */
export class MetricsApis {
  private readonly services = new Map<MetricsGroup, { readonly by: string; readonly backend: unknown; down: number }>()
  /** Groups that two wanted to serve: who lost, and who serves. */
  readonly conflicts: { readonly group: MetricsGroup; readonly lost: string; readonly serves: string }[] = []

  /** Registers an APIService. Returns how to take it away again. */
  serve<G extends MetricsGroup>(group: G, by: string, backend: Backends[G]): () => void {
    const before = this.services.get(group)
    if (before && before.by !== by) this.conflicts.push({ group, lost: before.by, serves: by })
    const service = { by, backend, down: 0 }
    this.services.set(group, service)
    return () => {
      if (this.services.get(group) === service) this.services.delete(group)
    }
  }

  /** Who serves a group. */
  servedBy(group: MetricsGroup): string | undefined {
    return this.services.get(group)?.by
  }

  /** The servers behind the APIs stop answering: all of them, or those of some groups. Returns how to undo it. */
  stop(groups: readonly MetricsGroup[] = [...this.services.keys()]): () => void {
    const stopped = groups.flatMap((group) => this.services.get(group) ?? [])
    for (const service of stopped) service.down++
    let undone = false
    return () => {
      if (!undone) for (const service of stopped) service.down--
      undone = true
    }
  }

  /** The backend of a group; `absent` when nobody registered it, `down` when it does not answer. */
  backendOf<G extends MetricsGroup>(group: G): Backends[G] | 'absent' | 'down' {
    const service = this.services.get(group)
    if (!service) return 'absent'
    return service.down > 0 ? 'down' : (service.backend as Backends[G])
  }
}

export interface MetricsClientOptions {
  readonly world: World
  readonly apis: MetricsApis
  /** Of a request through the API server to the server behind it: each of the two ways takes one. */
  readonly latency: Quantiles
  /** Who asks: `kube-controller-manager`. */
  readonly process: string
}

/** The window the client gives values of the custom metrics API that have none. */
const DEFAULT_WINDOW: Us = seconds(60)

/** The three metrics APIs as a controller's client meets them, with upstream's words for what goes wrong. */
// follows pkg/controller/podautoscaler/metrics/client.go and k8s.io/metrics/pkg/client
export function metricsClient(options: MetricsClientOptions): MetricsClient {
  const { world, apis, latency } = options
  const random = world.random(`${options.process}/metrics-apis`)
  /** Asks a backend, after the way there; the error of an API that is not there or down comes by the same way. */
  function* ask<G extends MetricsGroup, T>(group: G, path: string, act: (backend: Backends[G]) => Task<T>): Task<T> {
    const api = `unable to fetch metrics from ${group.split('.')[0] === 'metrics' ? 'resource' : group.split('.')[0]} metrics API`
    yield* sleep(sample(latency, random) + sample(latency, random))
    const backend = apis.backendOf(group)
    if (backend === 'absent') {
      const why =
        group === 'custom.metrics.k8s.io'
          ? `no custom metrics API (${group}) registered`
          : `the server could not find the requested resource (get ${path})`
      throw new MetricsError(`${api}: ${why}`)
    }
    if (backend === 'down')
      throw new MetricsError(`${api}: the server is currently unable to handle the request (get ${path})`)
    try {
      return yield* act(backend)
    } catch (error) {
      throw new MetricsError(`${api}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  return {
    *resource(resource, namespace, selector, container) {
      const items = yield* ask('metrics.k8s.io', 'pods.metrics.k8s.io', function* (backend) {
        const list = backend.list(namespace, selector)
        return Array.isArray(list) ? list : yield* list as Task<readonly NamedPodUsage[]>
      })
      if (items.length === 0) throw new MetricsError('no metrics returned from resource metrics API')
      return { pods: usageOf(items, resource, container), at: wholeSeconds(items[0]!.at) }
    },
    *pods(metric, namespace, selector, metricSelector) {
      const pods = resourceFor('pods')!
      const values = yield* ask('custom.metrics.k8s.io', 'pods.custom.metrics.k8s.io *', (backend) =>
        backend.bySelector(pods, namespace, selector, metric, metricSelector),
      )
      if (values.length === 0) throw new MetricsError('no metrics returned from custom metrics API')
      const at = (value: CustomValue) => wholeSeconds(value.at)
      return {
        pods: new Map(values.map((v) => [v.name, { milli: v.milli, at: at(v), windowUs: DEFAULT_WINDOW }])),
        at: at(values[0]!),
      }
    },
    *object(metric, namespace, { apiVersion, kind, name }, metricSelector) {
      const resource = resourceOfKind(kind, apiVersion)
      // which version is served is asked before what the kind is called, and that before the server
      if (!resource && apis.backendOf('custom.metrics.k8s.io') !== 'absent')
        throw new MetricsError(`unable to fetch metrics from custom metrics API: ${unmapped(kind, apiVersion)}`)
      // a reference cannot leave its namespace: the name of a Namespace is not looked at
      const named = kind === 'Namespace' ? namespace : name
      const path = resource ? `${textOf(resource)}.custom.metrics.k8s.io ${named}` : ''
      const value = yield* ask('custom.metrics.k8s.io', path, (backend) => {
        if (!resource) throw new Error(unmapped(kind, apiVersion))
        return backend.byName(resource, namespace, named, metric, metricSelector)
      })
      return { milli: value.milli, at: wholeSeconds(value.at) }
    },
    *external(metric, namespace, selector) {
      const values = yield* ask('external.metrics.k8s.io', `${metric}.external.metrics.k8s.io`, (backend) =>
        backend.external(metric, namespace, selector),
      )
      if (values.length === 0) throw new MetricsError('no metrics returned from external metrics API')
      return { milli: values.map((v) => v.milli), at: wholeSeconds(values[0]!.at) }
    },
  }
}

/** A kind the RESTMapper does not know. */
function unmapped(kind: string, apiVersion: string): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const named = group ? `${kind}.${group}` : kind
  return `unable to map kind ${named} to resource: no matches for kind "${kind}" in group "${group}"`
}

/** Times come as metav1.Time. */
const wholeSeconds = (at: Us): Us => Math.floor(at / 1e6) * 1e6

function usageOf(items: readonly NamedPodUsage[], resource: string, container: string | undefined): PodMetrics {
  const pods = new Map<string, { milli: number; at: Us; windowUs: Us }>()
  for (const { name, at, windowUs, containers } of items) {
    let milli = 0
    let found = containers.size > 0
    for (const [own, usage] of containers) {
      if (container !== undefined && own !== container) continue
      const value = milliOf(resource, usage)
      if (value === undefined) found = false
      else milli += value
    }
    if (container !== undefined && !containers.has(container)) found = false
    if (found) pods.set(name, { milli, at: wholeSeconds(at), windowUs })
  }
  return pods
}

/** Thousandths, rounded up as Quantity.MilliValue does; of CPU and memory, which is all there is. */
function milliOf(resource: string, usage: { cpuNanos: number; memoryBytes: number }): number | undefined {
  if (resource === 'cpu') return Math.ceil(usage.cpuNanos / 1e6)
  return resource === 'memory' ? usage.memoryBytes * 1000 : undefined
}
