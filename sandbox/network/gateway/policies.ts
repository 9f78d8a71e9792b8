import { kindOf } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { parseDuration, type Us } from '../../world/time.ts'
import type { ObjectReader } from './attachment.ts'
import type { Behaviour } from './behaviour.ts'

/** Kinds attached to a Gateway, an HTTPRoute or a Service that set what the standard objects leave open. */
export const BackendTrafficPolicy = kindOf({
  apiVersion: 'gateway.envoyproxy.io/v1alpha1',
  kind: 'BackendTrafficPolicy',
})
export const GCPBackendPolicy = kindOf({ apiVersion: 'networking.gke.io/v1', kind: 'GCPBackendPolicy' })

type Fields = Record<string, unknown>

/** The policies of a kind that name an object, the oldest first. */
export function policiesOn(
  objects: ObjectReader,
  kind: typeof BackendTrafficPolicy,
  target: { kind: string; namespace: string; name: string },
): Fields[] {
  return objects
    .list(kind)
    .filter(({ metadata }) => (metadata.namespace ?? 'default') === target.namespace)
    .map((policy) => ((policy as o.OtherObject).spec ?? {}) as Fields)
    .filter((spec) => targetsOf(spec).some((one) => one['kind'] === target.kind && one['name'] === target.name))
}

export function targetsOf(spec: Fields): Fields[] {
  const { targetRef, targetRefs } = spec as { targetRef?: Fields; targetRefs?: Fields[] }
  return [...(targetRef ? [targetRef] : []), ...(targetRefs ?? [])]
}

/** The behaviour of Envoy Gateway under a BackendTrafficPolicy. Follows internal/gatewayapi/backendtrafficpolicy.go. */
export function underTrafficPolicy(behaviour: Behaviour, spec: Fields): Behaviour {
  const read = (path: string): unknown =>
    path.split('.').reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], spec)
  const duration = (path: string, fallback: Us): Us => {
    const text = read(path)
    return typeof text === 'string' ? parseDuration(text) : fallback
  }
  const { timeouts } = behaviour
  // with a maximal stream duration Envoy's router does not look at the route's timeout
  const requestUs = duration(
    'timeout.http.maxStreamDuration',
    duration('timeout.http.requestTimeout', timeouts.requestUs),
  )
  const balancer = read('loadBalancer.type')
  return {
    ...behaviour,
    timeouts: {
      ...timeouts,
      requestUs,
      idleUs: duration(
        'timeout.http.streamIdleTimeout',
        idleUnder(read('timeout.http.requestTimeout'), timeouts.idleUs),
      ),
      connectUs: duration('timeout.tcp.connectTimeout', timeouts.connectUs),
    },
    balancer: balancer === 'RoundRobin' ? 'round-robin' : balancer === 'Random' ? 'random' : behaviour.balancer,
    panicPercent: (read('healthCheck.panicThreshold') as number | undefined) ?? behaviour.panicPercent,
  }
}

/** As long as the request may take, an hour at least; without end when the request's time has none. */
function idleUnder(requestTimeout: unknown, fallback: Us): Us {
  if (typeof requestTimeout !== 'string') return fallback
  const request = parseDuration(requestTimeout)
  return request === 0 ? 0 : Math.max(parseDuration('1h'), request)
}

/** The fields of a BackendTrafficPolicy that are acted upon. */
export const TRAFFIC_POLICY_FIELDS: ReadonlySet<string> = new Set([
  'targetRef',
  'targetRefs',
  'timeout.http.requestTimeout',
  'timeout.http.maxStreamDuration',
  'timeout.http.streamIdleTimeout',
  'timeout.http.connectionIdleTimeout',
  'timeout.tcp.connectTimeout',
  'loadBalancer.type',
  'healthCheck.panicThreshold',
])

/** Of a GCPBackendPolicy: how long a backend may take for a whole answer. */
export function underGcpPolicy(behaviour: Behaviour, spec: Fields): Behaviour {
  const seconds = (spec['default'] as Fields | undefined)?.['timeoutSec']
  if (typeof seconds !== 'number') return behaviour
  return { ...behaviour, timeouts: { ...behaviour.timeouts, requestUs: seconds * 1e6 } }
}

export const GCP_POLICY_FIELDS: ReadonlySet<string> = new Set(['targetRef', 'default.timeoutSec', 'default.logging'])
