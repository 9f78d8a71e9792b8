import type { Task } from '../../world/actor.ts'
import type { CustomBackend, ExternalBackend, MetricsGroup, ResourceBackend } from '../adapter/metrics-client.ts'
import type { ApiContext, ApiRequest } from './context.ts'
import { customMetric, customResources } from './custom.ts'
import { type ApiResource, apiGroup, apiResourceList, GROUPS, VERSIONS } from './discovery.ts'
import { externalMetric, externalResources } from './external.ts'
import { RESOURCES, resourceMetrics } from './resource.ts'
import { noSuchPath } from './status.ts'

/** The server behind the API does not answer: no Status comes from it. */
export class ServerDown extends Error {}

/** What answers for each group. */
interface Api<Backend> {
  resources(backend: Backend): readonly ApiResource[]
  answer(backend: Backend, request: ApiRequest, context: ApiContext): Task<unknown>
}

const APIS: {
  'metrics.k8s.io': Api<ResourceBackend>
  'custom.metrics.k8s.io': Api<CustomBackend>
  'external.metrics.k8s.io': Api<ExternalBackend>
} = {
  'metrics.k8s.io': { resources: () => RESOURCES, answer: resourceMetrics },
  'custom.metrics.k8s.io': { resources: customResources, answer: customMetric },
  'external.metrics.k8s.io': { resources: externalResources, answer: externalMetric },
}

/**
 * The JSON for a path like `/apis/external.metrics.k8s.io/v1beta1/namespaces/prod/queue_depth`. Fails with a `StatusError`, or
 * with the error of the server behind the API: see `statusOf`.
 */
export function* answer(url: string, context: ApiContext): Task<unknown> {
  const { pathname, searchParams: query } = new URL(url, 'https://localhost')
  const [root, named, version, ...parts] = pathname.split('/').filter(Boolean).map(decodeURIComponent)
  const group = GROUPS.find((known) => known === named)
  if (root !== 'apis' || !group) throw noSuchPath()
  return yield* inGroup(group, { version, parts, query }, context)
}

function* inGroup<G extends MetricsGroup>(
  group: G,
  { version, parts, query }: Omit<ApiRequest, 'version'> & { version: string | undefined },
  context: ApiContext,
): Task<unknown> {
  const backend = context.apis.backendOf(group)
  if (backend === 'absent') throw noSuchPath()
  if (backend === 'down') throw new ServerDown()
  if (version === undefined) return apiGroup(group)
  if (!VERSIONS[group].includes(version)) throw noSuchPath()
  const api = APIS[group] as Api<unknown>
  if (parts.length === 0) return apiResourceList(group, version, api.resources(backend))
  return yield* api.answer(backend, { version, parts, query }, context)
}
