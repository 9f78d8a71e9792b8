import type { Task } from '../../world/actor.ts'
import type { ExternalBackend } from '../adapter/metrics-client.ts'
import { type ApiContext, type ApiRequest, milliQuantity, timeOf } from './context.ts'
import type { ApiResource } from './discovery.ts'
import { optionalSelectorIn } from './selectors.ts'
import { noSuchPath } from './status.ts'

/** Every series of a metric that a selector matches: an ExternalMetricValueList. */
// follows pkg/registry/external_metrics/reststorage.go of kubernetes-sigs/custom-metrics-apiserver
export function* externalMetric(backend: ExternalBackend, request: ApiRequest, context: ApiContext): Task<unknown> {
  const [scope, namespace, metricName] = request.parts
  if (scope !== 'namespaces' || !namespace || !metricName || request.parts.length !== 3) throw noSuchPath()
  const selector = optionalSelectorIn(request.query.get('labelSelector'))
  const values = yield* backend.external(metricName, namespace, selector)
  return {
    kind: 'ExternalMetricValueList',
    apiVersion: `external.metrics.k8s.io/${request.version}`,
    metadata: {},
    items: values.map(({ milli, at, labels }) => ({
      metricName,
      metricLabels: labels ?? null,
      timestamp: timeOf(at, context),
      value: milliQuantity(milli),
    })),
  }
}

/** What discovery names. KEDA lists one name that stands for all. */
// follows pkg/provider/resource_lister.go, and pkg/provider/provider.go of kedacore/keda
export const externalResources = (backend: ExternalBackend): readonly ApiResource[] =>
  (backend.externalMetrics ?? ['externalmetrics']).map((name) => ({
    name,
    singularName: '',
    namespaced: true,
    kind: 'ExternalMetricValueList',
    verbs: ['get'],
  }))
