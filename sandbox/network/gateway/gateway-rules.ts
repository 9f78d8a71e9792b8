import { HTTPRoute, keyOf, Service } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { RegexpError } from '../../metrics/tsdb/regexp.ts'
import { parseDuration, type Us } from '../../world/time.ts'
import { attaches, granted, type ObjectReader, sharedHostnames, takesHttp } from './attachment.ts'
import type { Behaviour } from './behaviour.ts'
import { compareRanks, compileMatch, rankOf } from './conditions.ts'
import { rewriteOf } from './filters.ts'
import { type HttpRequest, hostMatches } from './http-request.ts'
import { BackendTrafficPolicy, GCPBackendPolicy, policiesOn, underGcpPolicy, underTrafficPolicy } from './policies.ts'
import type { MatchRule, ProxyRule, RetryPolicy, ServiceTarget, Timeouts, WeightedBackend } from './rule.ts'

/** One match of one rule under one host name. */
interface Candidate {
  readonly hostname: string
  readonly route: o.HTTPRoute
  readonly rank: readonly number[]
  readonly matches: (request: HttpRequest) => boolean
  readonly rule: ProxyRule
}

export interface GatewayContext {
  readonly gateway: o.Gateway
  readonly objects: ObjectReader
  readonly behaviour: Behaviour
  /** The port clients come in by. */
  readonly port: number
}

/**
 * What a Gateway does with requests to one of its ports. A request belongs to the listener whose host name fits it most narrowly, and there to
 * the first match in the order Gateway API gives; 404 when none holds.
 */
export function gatewayRules(context: GatewayContext): MatchRule {
  const { gateway, port } = context
  const listeners = gateway.spec.listeners
    .filter((listener) => listener.port === port && takesHttp(listener))
    .map((listener) => ({ listener, candidates: candidatesOf(listener, context) }))
    .sort((a, b) => compareRanks(narrowness(a.listener.hostname), narrowness(b.listener.hostname)))
  return (request) => {
    const own = listeners.find(({ listener }) => hostMatches(listener.hostname, request.host))
    return own?.candidates.find((one) => hostMatches(one.hostname, request.host) && one.matches(request))?.rule
  }
}

/** Characters of a name without a wildcard, then characters of any name. */
const narrowness = (hostname = ''): readonly number[] => [
  hostname.startsWith('*.') ? 0 : hostname.length,
  hostname.length,
]

function candidatesOf(listener: o.GatewayListener, context: GatewayContext): Candidate[] {
  const { objects } = context
  return objects
    .list(HTTPRoute)
    .filter((route) => attaches(route, listener, context))
    .flatMap((route) => {
      const hostnames = sharedHostnames(listener.hostname, route.spec.hostnames)
      const matches = acceptedMatches(route, context)
      return hostnames.flatMap((hostname) => matches.map((match) => ({ ...match, hostname, route })))
    })
    .sort(
      (a, b) =>
        compareRanks(narrowness(a.hostname), narrowness(b.hostname)) ||
        compareRanks(a.rank, b.rank) ||
        byAgeThenName(a.route, b.route),
    )
}

function byAgeThenName(a: o.HTTPRoute, b: o.HTTPRoute): number {
  const age = (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '')
  if (age !== 0) return age
  const [first, second] = [keyOf(a), keyOf(b)]
  return first < second ? -1 : first > second ? 1 : 0
}

/** None of a route with an expression or a duration that cannot be read: it is not accepted. */
function acceptedMatches(route: o.HTTPRoute, context: GatewayContext): ReturnType<typeof matchesOf> {
  try {
    return matchesOf(route, context)
  } catch (error) {
    if (error instanceof RegexpError || error instanceof RangeError) return []
    throw error
  }
}

function matchesOf(route: o.HTTPRoute, context: GatewayContext) {
  return (route.spec.rules ?? [{}]).flatMap((rule, i) =>
    (rule.matches && rule.matches.length > 0 ? rule.matches : [{}]).map((match: o.HTTPRouteMatch) => ({
      rank: rankOf(match),
      matches: compileMatch(match),
      rule: ruleOf(route, { rule, i, match }, context),
    })),
  )
}

function ruleOf(
  route: o.HTTPRoute,
  { rule, i, match }: { rule: o.HTTPRouteRule; i: number; match: o.HTTPRouteMatch },
  context: GatewayContext,
): ProxyRule {
  const { objects } = context
  const behaviour = behaviourFor(route, rule, context)
  const rewrite = rewriteOf(rule.filters, match)
  return {
    from: `HTTPRoute ${keyOf(route)} spec.rules[${i}]`,
    backends: (rule.backendRefs ?? []).map((ref): WeightedBackend => {
      const { service, invalid } = serviceOf(ref, route, objects)
      const own = rewriteOf(ref.filters, match)
      return {
        weight: ref.weight ?? 1,
        service,
        ...(invalid === undefined ? {} : { invalid }),
        ...(own ? { rewrite: own } : {}),
      }
    }),
    ...(rewrite ? { rewrite } : {}),
    mirrors: mirrorsOf(rule, route, objects),
    balancing: behaviour,
    timeouts: timeoutsOf(rule, behaviour),
    retry: retryOf(rule, behaviour),
    bodyBytesMax: 0,
  }
}

/** What policies on the Gateway, and before them on the route or its Service, make of the implementation's behaviour. */
function behaviourFor(route: o.HTTPRoute, rule: o.HTTPRouteRule, { gateway, objects, behaviour }: GatewayContext) {
  const on = (kind: string, namespace: string | undefined, name: string) => ({
    kind,
    namespace: namespace ?? 'default',
    name,
  })
  if (behaviour.name === 'Envoy Gateway') {
    const own = policiesOn(
      objects,
      BackendTrafficPolicy,
      on('HTTPRoute', route.metadata.namespace, route.metadata.name),
    )
    const { namespace, name } = gateway.metadata
    const spec = own[0] ?? policiesOn(objects, BackendTrafficPolicy, on('Gateway', namespace, name))[0]
    return spec ? underTrafficPolicy(behaviour, spec) : behaviour
  }
  if (behaviour.name === 'GKE Gateway') {
    const specs = (rule.backendRefs ?? []).flatMap((ref) =>
      policiesOn(objects, GCPBackendPolicy, on('Service', ref.namespace ?? route.metadata.namespace, ref.name)),
    )
    return specs[0] ? underGcpPolicy(behaviour, specs[0]) : behaviour
  }
  return behaviour
}

/** The Service a reference names, or why it names none. Follows «HTTPBackendRef» of apis/v1/httproute_types.go. */
function serviceOf(
  ref: o.BackendObjectReference,
  route: o.HTTPRoute,
  objects: ObjectReader,
): { service: ServiceTarget | undefined; invalid?: string } {
  const { group = '', kind = 'Service', name, port } = ref
  const own = route.metadata.namespace ?? 'default'
  const namespace = ref.namespace ?? own
  const invalid = (reason: string) => ({ service: undefined, invalid: reason })
  if (group !== '' || kind !== 'Service') return invalid(`${kind} is no kind of backend here`)
  if (!granted(objects, { kind: 'HTTPRoute', namespace: own }, { group, kind, namespace, name }))
    return invalid(`no ReferenceGrant in ${namespace} lets HTTPRoutes of ${own} refer to Service ${name}`)
  const service = objects.get(Service, `${namespace}/${name}`)
  if (!service) return invalid(`Service ${namespace}/${name} does not exist`)
  if (port === undefined) return invalid('a reference to a Service needs a port')
  if (!service.spec.ports?.some((one) => one.port === port))
    return invalid(`Service ${namespace}/${name} has no port ${port}`)
  return { service: { key: `${namespace}/${name}`, port } }
}

function mirrorsOf(rule: o.HTTPRouteRule, route: o.HTTPRoute, objects: ObjectReader): ProxyRule['mirrors'] {
  return (rule.filters ?? []).flatMap(({ requestMirror }) => {
    if (!requestMirror) return []
    const { backendRef, percent, fraction } = requestMirror
    const { service } = serviceOf(backendRef, route, objects)
    const share = fraction ? fraction.numerator / (fraction.denominator ?? 100) : (percent ?? 100) / 100
    return service ? [{ service, share }] : []
  })
}

/** With retries `backendRequest` is for each try; without, there is one try and it bounds the whole. */
function timeoutsOf({ timeouts, retry }: o.HTTPRouteRule, behaviour: Behaviour): Timeouts {
  const base = behaviour.timeouts
  if (!timeouts || !behaviour.takesTimeouts) return base
  const request = durationOf(timeouts.request)
  const backend = durationOf(timeouts.backendRequest)
  // Envoy Gateway and Istio take the second for the whole when there is no retry
  const requestUs = (retry ? undefined : backend) ?? request ?? base.requestUs
  return {
    ...base,
    requestUs,
    perTryUs: retry ? (backend ?? 0) : 0,
    idleUs: behaviour.name === 'Envoy Gateway' ? idleOf(requestUs, request ?? backend, base.idleUs) : base.idleUs,
  }
}

const HOUR: Us = parseDuration('1h')

/** Follows idleTimeout of internal/xds/translator/route.go: a stream may be idle for as long as the request may take. */
const idleOf = (requestUs: Us, given: Us | undefined, base: Us): Us =>
  given === undefined ? base : requestUs === 0 ? 0 : Math.max(HOUR, requestUs)

const durationOf = (text: string | undefined): Us | undefined => (text === undefined ? undefined : parseDuration(text))

function retryOf({ retry }: o.HTTPRouteRule, behaviour: Behaviour): RetryPolicy | undefined {
  const asked = retry && behaviour.askedRetry
  if (!asked) return behaviour.retry
  const retries = retry.attempts ?? asked.retries
  if (retries === 0) return undefined
  const baseUs = durationOf(retry.backoff) ?? asked.baseUs
  return {
    ...asked,
    retries,
    codes: retry.codes && retry.codes.length > 0 ? new Set(retry.codes) : asked.codes,
    baseUs,
    maxUs: baseUs * 10,
  }
}
