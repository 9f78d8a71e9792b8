import { fieldsMatch } from '../../kube/field-selector.ts'
import type { LabelSelector } from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import type { ResourceBackend } from '../adapter/metrics-client.ts'
import type { NamedNodeUsage, NamedPodUsage } from '../resource/metrics-server.ts'
import { type ApiContext, type ApiRequest, durationOf, timeOf } from './context.ts'
import type { ApiResource } from './discovery.ts'
import { fieldsIn, selectorIn } from './selectors.ts'
import { noSuchPath, notFound } from './status.ts'

export const RESOURCES: readonly ApiResource[] = [
  { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
  { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
]

const EVERYTHING: LabelSelector = {}

/** PodMetrics and NodeMetrics: one by name, or those that a selector matches. */
// follows pkg/api/pod.go and pkg/api/node.go of kubernetes-sigs/metrics-server
export function* resourceMetrics(backend: ResourceBackend, request: ApiRequest, context: ApiContext): Task<unknown> {
  const { parts, query } = request
  const selector = selectorIn(query.get('labelSelector'))
  const [first, second, third, fourth] = parts
  const list = (kind: string, items: readonly object[]) => ({ kind, ...TYPE, metadata: {}, items })
  if (first === 'nodes' && parts.length <= 2) {
    const found = nodesOf(backend, second === undefined ? selector : EVERYTHING)
    if (second === undefined)
      return list(
        'NodeMetricsList',
        found.map((one) => node(one, context)),
      )
    const one = found.find(({ name }) => name === second)
    if (!one) throw notFound('metrics.k8s.io', 'nodes', second)
    return { kind: 'NodeMetrics', ...TYPE, ...node(one, context) }
  }
  if (first === 'pods' && parts.length === 1) {
    const found = yield* podsOf(backend, '', selector)
    return list(
      'PodMetricsList',
      chosen(found, query).map((one) => pod(one, context)),
    )
  }
  if (first !== 'namespaces' || third !== 'pods' || parts.length > 4) throw noSuchPath()
  const found = yield* podsOf(backend, second!, fourth === undefined ? selector : EVERYTHING)
  if (fourth === undefined)
    return list(
      'PodMetricsList',
      chosen(found, query).map((one) => pod(one, context)),
    )
  const one = found.find(({ name }) => name === fourth)
  if (!one) throw notFound('metrics.k8s.io', 'pods', `${second}/${fourth}`)
  return { kind: 'PodMetrics', ...TYPE, ...pod(one, context) }
}

const TYPE = { apiVersion: 'metrics.k8s.io/v1beta1' } as const

function* podsOf(backend: ResourceBackend, namespace: string, selector: LabelSelector): Task<readonly NamedPodUsage[]> {
  const found = backend.list(namespace, selector)
  return Array.isArray(found) ? found : yield* found as Task<readonly NamedPodUsage[]>
}

const nodesOf = (backend: ResourceBackend, selector: LabelSelector): readonly NamedNodeUsage[] =>
  backend.nodes?.(selector) ?? []

/** By name and namespace: all that a field selector can ask for. */
function chosen(pods: readonly NamedPodUsage[], query: URLSearchParams): readonly NamedPodUsage[] {
  const wanted = fieldsIn(query.get('fieldSelector'))
  return pods.filter(({ name, namespace }) =>
    fieldsMatch(wanted, { 'metadata.name': name, 'metadata.namespace': namespace }),
  )
}

interface Used {
  readonly cpuNanos: number
  readonly memoryBytes: number
}

// follows resourceUsage of pkg/storage/types.go: nanocores, and bytes in binary units
const usage = ({ cpuNanos, memoryBytes }: Used) => ({
  cpu: cpuNanos === 0 ? '0' : `${cpuNanos}n`,
  memory: memoryBytes % 1024 === 0 ? `${memoryBytes / 1024}Ki` : String(memoryBytes),
})

const common = ({ at, windowUs }: { at: number; windowUs: number }, context: ApiContext) => ({
  timestamp: timeOf(at, context),
  window: durationOf(windowUs),
})

const metadata = (
  about: { name: string; namespace?: string; labels?: Readonly<Record<string, string>> },
  context: ApiContext,
) => ({
  name: about.name,
  ...(about.namespace === undefined ? {} : { namespace: about.namespace }),
  creationTimestamp: timeOf(context.world.clock.now, context),
  ...(about.labels ? { labels: about.labels } : {}),
})

const pod = (one: NamedPodUsage, context: ApiContext) => ({
  metadata: metadata(one, context),
  ...common(one, context),
  containers: [...one.containers].map(([name, used]) => ({ name, usage: usage(used) })),
})

const node = (one: NamedNodeUsage, context: ApiContext) => ({
  metadata: metadata(one, context),
  ...common(one, context),
  usage: usage(one),
})
