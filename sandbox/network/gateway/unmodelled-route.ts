import { kindOf } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { parseDuration } from '../../world/time.ts'
import type { Behaviour } from './behaviour.ts'
import { compileMatch } from './conditions.ts'
import { KNOWN_FILTERS } from './filters.ts'
import { NGINX_PREFIX, nginxAnnotations, unmodelledNginx } from './nginx-annotations.ts'
import { BackendTrafficPolicy, GCP_POLICY_FIELDS, GCPBackendPolicy, TRAFFIC_POLICY_FIELDS } from './policies.ts'

/** A field whose effect nobody here has. An empty path: the whole object. */
export interface UnmodelledPart {
  readonly path: readonly (string | number)[]
  readonly why: string
}

/**
 * What of an object on the way of requests is not simulated; empty: all of it is. With a `behaviour` also what that implementation does not do.
 * Kinds nobody here knows are unmodelled as a whole.
 */
export function unmodelledRoute(
  object: { apiVersion: string; kind: string; metadata: { annotations?: Readonly<Record<string, string>> } },
  behaviour?: Behaviour,
): UnmodelledPart[] {
  switch (kindOf(object).id) {
    case 'httproutes.gateway.networking.k8s.io':
      return httpRoute(object as unknown as o.HTTPRoute, behaviour)
    case 'gateways.gateway.networking.k8s.io':
    case 'gatewayclasses.gateway.networking.k8s.io':
    case 'referencegrants.gateway.networking.k8s.io':
    case 'ingressclasses.networking.k8s.io':
      return []
    case 'ingresses.networking.k8s.io':
      return ingress(object as unknown as o.Ingress, behaviour)
    case BackendTrafficPolicy.id:
      return otherFields((object as o.OtherObject).spec, TRAFFIC_POLICY_FIELDS)
    case GCPBackendPolicy.id:
      return otherFields((object as o.OtherObject).spec, GCP_POLICY_FIELDS)
    default:
      return [{ path: [], why: WHY[object.kind] ?? `what a ${object.kind} does to requests is not simulated` }]
  }
}

const PICKER =
  'its endpoint picker chooses by queues, caches and prefixes it reads from the servers, and that is not simulated'

const WHY: Readonly<Record<string, string>> = {
  InferencePool: PICKER,
  AIGatewayRoute: 'the routes an AI gateway makes of it are not simulated',
  VirtualService: 'the routes of a mesh are not simulated',
}

function httpRoute({ spec }: o.HTTPRoute, behaviour: Behaviour | undefined): UnmodelledPart[] {
  return (spec.rules ?? []).flatMap((rule, i) => {
    const at = ['spec', 'rules', i]
    const parts = [
      ...unknownFilters(rule.filters, [...at, 'filters']),
      ...(rule.backendRefs ?? []).flatMap((ref, j) => backend(ref, [...at, 'backendRefs', j])),
      ...(rule.matches ?? []).flatMap((match, j) => unreadable(() => compileMatch(match), [...at, 'matches', j])),
      ...[rule.timeouts?.request, rule.timeouts?.backendRequest, rule.retry?.backoff].flatMap((text) =>
        unreadable(() => text !== undefined && parseDuration(text), at),
      ),
    ]
    const name = behaviour?.name
    if (rule.sessionPersistence)
      parts.push({ path: [...at, 'sessionPersistence'], why: 'sessions of clients are not simulated' })
    if (rule.timeouts && behaviour && !behaviour.takesTimeouts)
      parts.push({ path: [...at, 'timeouts'], why: `${name} is not known to act on timeouts of a rule` })
    if (rule.retry && behaviour && !behaviour.askedRetry)
      parts.push({ path: [...at, 'retry'], why: `${name} is not known to act on retries of a rule` })
    return parts
  })
}

function unknownFilters(filters: readonly o.HTTPRouteFilter[] = [], at: UnmodelledPart['path']): UnmodelledPart[] {
  return filters.flatMap(({ type }, i) =>
    KNOWN_FILTERS.has(type) ? [] : [{ path: [...at, i], why: `what a filter of type ${type} does is not simulated` }],
  )
}

function backend(ref: o.HTTPBackendRef, at: UnmodelledPart['path']): UnmodelledPart[] {
  const { group = '', kind = 'Service' } = ref
  const parts = unknownFilters(ref.filters, [...at, 'filters'])
  if (group === '' && kind === 'Service') return parts
  return [...parts, { path: at, why: WHY[kind] ?? `a ${kind} as a backend is not simulated` }]
}

function unreadable(read: () => unknown, path: UnmodelledPart['path']): UnmodelledPart[] {
  try {
    read()
    return []
  } catch (error) {
    return [{ path, why: `the API server would not take it: ${(error as Error).message}` }]
  }
}

function ingress({ spec, metadata }: o.Ingress, behaviour: Behaviour | undefined): UnmodelledPart[] {
  const backends = (spec.rules ?? []).flatMap(({ http }, i) =>
    (http?.paths ?? []).map((path, j) => ({ backend: path.backend, path: ['spec', 'rules', i, 'http', 'paths', j] })),
  )
  const resources = backends.flatMap(({ backend: { resource }, path }) =>
    resource ? [{ path, why: `a ${resource.kind} as a backend is not simulated` }] : [],
  )
  if (behaviour && behaviour.name !== 'ingress-nginx') return resources
  const annotations = unmodelledNginx(nginxAnnotations(metadata.annotations))
  return [
    ...resources,
    ...annotations.map(({ name, why }) => ({ path: ['metadata', 'annotations', NGINX_PREFIX + name], why })),
  ]
}

/** Fields of a policy that nobody here acts upon. */
function otherFields(spec: unknown, known: ReadonlySet<string>): UnmodelledPart[] {
  const parts: UnmodelledPart[] = []
  const visit = (value: unknown, path: readonly string[]): void => {
    const name = path.join('.')
    if (known.has(name)) return
    const leads = path.length === 0 || [...known].some((one) => one.startsWith(`${name}.`))
    if (leads && typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key])
    else parts.push({ path: ['spec', ...path], why: 'what it does to requests is not simulated' })
  }
  visit(spec ?? {}, [])
  return parts
}
