import type { LabelSelector } from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { type GroupResource, resourceFor } from '../adapter/group-resource.ts'
import type { CustomBackend } from '../adapter/metrics-client.ts'
import type { CustomValue } from '../adapter/prometheus-adapter.ts'
import { type ApiContext, type ApiRequest, milliQuantity, timeOf } from './context.ts'
import type { ApiResource } from './discovery.ts'
import { optionalSelectorIn, selectorIn } from './selectors.ts'
import { badRequest, StatusError } from './status.ts'

/** The object or objects, and the metric, that a path is about. */
interface Asked {
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly metric: string
}

/** Values of a metric of one object, or of all (`*`) that a selector matches: a MetricValueList. */
// follows pkg/registry/custom_metrics/reststorage.go of kubernetes-sigs/custom-metrics-apiserver
export function* customMetric(backend: CustomBackend, request: ApiRequest, context: ApiContext): Task<unknown> {
  const asked = askedFor(request.parts)
  const objects = selectorIn(request.query.get('labelSelector'))
  const selector = optionalSelectorIn(request.query.get('metricLabelSelector'))
  const resource = resourceNamed(asked.resource)
  if (!resource) throw unknownResource(asked)
  const values =
    asked.name === '*'
      ? yield* backend.bySelector(resource, asked.namespace, objects, asked.metric, selector)
      : [yield* backend.byName(resource, asked.namespace, asked.name, asked.metric, selector)]
  return {
    kind: 'MetricValueList',
    apiVersion: `custom.metrics.k8s.io/${request.version}`,
    metadata: {},
    items: values.map((value) => item({ value, resource, asked, selector, version: request.version }, context)),
  }
}

/** What discovery names: each metric of each kind of object, as far as the server behind lists them. */
// follows pkg/provider/resource_lister.go
export const customResources = (backend: CustomBackend): readonly ApiResource[] =>
  (backend.customMetrics ?? []).map((name) => ({
    name,
    singularName: '',
    namespaced: resourceNamed(name.slice(0, name.indexOf('/')))?.namespaced ?? true,
    kind: 'MetricValueList',
    verbs: ['get'],
  }))

function askedFor(parts: readonly string[]): Asked {
  const [first = '', second = '', third = '', fourth = '', fifth = ''] = parts
  const namespaced = first === 'namespaces' && parts.length > 3
  // metrics that describe a namespace itself
  if (namespaced && third === 'metrics' && parts.length === 4)
    return { resource: 'namespaces', namespace: '', name: second, metric: fourth }
  if (namespaced && parts.length === 5) return { resource: third, namespace: second, name: fourth, metric: fifth }
  if (parts.length === 3 && first !== 'namespaces')
    return { resource: first, namespace: '', name: second, metric: third }
  throw badRequest('invalid request path')
}

/** `pods`, `deployments.apps`. */
function resourceNamed(text: string): GroupResource | undefined {
  const dot = text.indexOf('.')
  return dot < 0 ? resourceFor(text) : resourceFor(text.slice(0, dot), text.slice(dot + 1))
}

// as pkg/custom-provider/provider.go of kubernetes-sigs/prometheus-adapter has it
const unknownResource = ({ name, resource, metric }: Asked): StatusError =>
  name === '*'
    ? new StatusError(500, 'InternalError', 'Internal error occurred: unable to list matching resources', {
        causes: [{ message: 'unable to list matching resources' }],
      })
    : new StatusError(404, 'NotFound', `the server could not find the metric ${metric} for ${resource}`)

interface Item {
  readonly value: CustomValue
  readonly resource: GroupResource
  readonly asked: Asked
  readonly selector: LabelSelector | undefined
  readonly version: string
}

function item({ value, resource, asked, selector, version }: Item, context: ApiContext) {
  const { namespace, metric } = asked
  const common = { timestamp: timeOf(value.at, context), value: milliQuantity(value.milli) }
  const describedObject = {
    kind: resource.kind,
    ...(resource.namespaced && namespace ? { namespace } : {}),
    name: value.name,
    apiVersion: `${resource.group}/${resource.group === 'autoscaling' ? 'v2' : 'v1'}`,
  }
  // the two versions differ in this alone
  return version === 'v1beta1'
    ? { describedObject, metricName: metric, ...common, selector: selector ?? null }
    : { describedObject, metric: { name: metric, selector: selector ?? null }, ...common }
}
