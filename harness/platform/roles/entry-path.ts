import { keyOf, kindOf, NetworkPolicy, Service } from '../../../sandbox/kube/kinds.ts'
import type { Service as ServiceObject } from '../../../sandbox/kube/objects.ts'
import type { EntryPoint } from '../../../sandbox/network/gateway/entry.ts'
import { formatPath } from '../path.ts'
import { namespaceOf, type Platform, type PlatformObject } from '../platform.ts'
import { gatewayWays } from './entry-gateway.ts'
import { ingressWays } from './entry-ingress.ts'
import type { InferenceServerRole } from './inference-servers.ts'
import { manifestReader } from './manifest-reader.ts'
import { clientPeer, withNamespaceLabels } from './network-reach.ts'

/** The way clients take to a server. */
export interface EntryPath {
  /** For `Entries.enter`. Undefined: no Service leads to the server. */
  readonly point: EntryPoint | undefined
  /** What was taken on trust, one line each. */
  readonly assumed: readonly string[]
  /** The objects on the way: on this tier they act as in a cluster. */
  readonly on: readonly PlatformObject[]
  /** Set where clients are taken to come straight to the Service: the verdict says `gateway bypassed`. */
  readonly bypassed?: Bypassed
}

export interface Bypassed {
  /** The platform declares a way that cannot be simulated. Without one there is nothing to be bypassed but what others run. */
  readonly declared: boolean
  readonly reasons: readonly Reason[]
}

/** Why a way cannot be gone, and where that stands. */
export interface Reason {
  readonly object?: PlatformObject
  readonly path?: readonly (string | number)[]
  readonly why: string
}

/** One declared way: gone, or why not. */
export type Way =
  | { readonly point: EntryPoint; readonly assumed: readonly string[]; readonly on: readonly PlatformObject[] }
  | { readonly reasons: readonly Reason[] }

export interface WayContext {
  readonly platform: Platform
  readonly objects: ReturnType<typeof manifestReader>
  /** `namespace/name` of the server's Services. */
  readonly services: ReadonlySet<string>
  /** The model name clients send. */
  readonly model: string
}

/**
 * Finds how clients reach a server: by a Gateway and an HTTPRoute, by an Ingress, or by its Service alone. A declared way that cannot be
 * simulated is bypassed, and says why.
 */
export function entryPathOf<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  { model, service }: { model: string; service: { key: string; port: number } | undefined },
): EntryPath {
  const services = new Set(server.services.map((one) => `${namespaceOf(one)}/${one.manifest.metadata.name}`))
  const context: WayContext = { platform, objects: manifestReader(platform), services, model }
  const ways = [
    ...gatewayWays(ofKind(server.routes, 'HTTPRoute'), context),
    ...ingressWays(ofKind(server.routes, 'Ingress'), context),
  ]
  const open = ways.find((way) => 'point' in way)
  if (open && 'point' in open) return { ...open, point: policed(open.point, context) }
  const others = server.routes.filter(({ manifest }) => !['HTTPRoute', 'Ingress'].includes(manifest.kind))
  const reasons = [
    ...ways.flatMap((way) => ('reasons' in way ? way.reasons : [])),
    ...others.map((object) => ({ object, why: `a ${object.manifest.kind} leads to it, which is not simulated` })),
  ]
  const { outside, ...straight } = serviceWay(service, context)
  const declared = reasons.length > 0
  if (!declared && outside) return { ...straight, on: [] }
  const none = { why: 'no Gateway or Ingress among the manifests leads to it' }
  return { ...straight, on: [], bypassed: { declared, reasons: declared ? reasons : [none] } }
}

/** One line of a verdict: `gateway bypassed: HTTPRoute/chat spec.rules[0]: …`. */
export function bypassText({ reasons }: Bypassed): string {
  const texts = reasons.map(({ object, path, why }) => {
    const where = object ? `${object.id}${path && path.length > 0 ? ` ${formatPath(path)}` : ''}: ` : ''
    return `${where}${why}`
  })
  return `gateway bypassed: ${texts.join('; ')}`
}

/** A gateway that NetworkPolicies may stop is known to them, as far as the manifests say who it is. */
function policed(point: EntryPoint, { platform, objects }: WayContext): EntryPoint {
  if (point.via === 'service' || objects.list(NetworkPolicy).length === 0) return point
  return { ...point, peer: withNamespaceLabels(platform, clientPeer(platform, point)) }
}

const ofKind = (objects: readonly PlatformObject[], kind: string): PlatformObject[] =>
  objects.filter(({ manifest }) => kindOf(manifest).kind === kind)

/** Straight to the Service: from outside where it has a load balancer or a node port, else from within the cluster. */
function serviceWay(
  target: { key: string; port: number } | undefined,
  { objects }: WayContext,
): Pick<EntryPath, 'point' | 'assumed'> & { outside: boolean } {
  if (!target) return { point: undefined, assumed: [], outside: false }
  const service = objects.get(Service, target.key) as
    | (Partial<ServiceObject> & { metadata: { name: string } })
    | undefined
  const { type, externalTrafficPolicy } = service?.spec ?? {}
  const outside = type === 'LoadBalancer' || type === 'NodePort'
  const local = outside && externalTrafficPolicy === 'Local'
  return {
    outside,
    point: { via: 'service', service: target.key, port: target.port, from: outside && !local ? 'outside' : 'cluster' },
    assumed: local
      ? [`the load balancer of Service ${keyOf(service!)} sends only to nodes with a ready pod, without delay (Local)`]
      : [],
  }
}
