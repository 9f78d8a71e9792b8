import { Gateway, HTTPRoute, Ingress, type Kind, Namespace, ReferenceGrant, Service } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Route } from '../../tiers/tier.ts'
import type { World } from '../../world/world.ts'
import type { Peer } from '../network-policy.ts'
import type { PodNetwork } from '../pod-network.ts'
import { policed } from '../policed.ts'
import { type Behaviour, gatewayControllers, ingressControllers } from './behaviour.ts'
import { DataPlane } from './data-plane.ts'
import { EndpointView } from './endpoint-view.ts'
import { gatewayRules } from './gateway-rules.ts'
import type { HttpRequest } from './http-request.ts'
import { ingressRules } from './ingress-rules.ts'
import type { NginxSettings } from './nginx-annotations.ts'
import { BackendTrafficPolicy, GCPBackendPolicy } from './policies.ts'
import type { MatchRule } from './rule.ts'

/** The way by which clients come in. Plain values: it crosses workers. */
export type EntryPoint = ServiceEntry | GatewayEntry | IngressEntry

export interface ServiceEntry {
  readonly via: 'service'
  /** `namespace/name`. */
  readonly service: string
  readonly port: number
  /** `outside`: by a load balancer or a node port. */
  readonly from: 'cluster' | 'outside'
}

export interface GatewayEntry {
  readonly via: 'gateway'
  /** `namespace/name`. */
  readonly gateway: string
  /** Of the listener. */
  readonly port: number
  /** As in GatewayClass `spec.controllerName`; one of `gatewayControllers`. */
  readonly controller: string
  readonly request: ClientRequest
  /** Who its proxies are to NetworkPolicies; left out: these do not concern them. */
  readonly peer?: Peer
}

export interface IngressEntry {
  readonly via: 'ingress'
  /** The class of the Ingresses its controller takes; undefined: those without one. */
  readonly className: string | undefined
  /** As in IngressClass `spec.controller`; one of `ingressControllers`. */
  readonly controller: string
  /** What the controller's ConfigMap says. */
  readonly settings: NginxSettings
  readonly request: ClientRequest
  readonly peer?: Peer
}

/** How clients ask. */
export interface ClientRequest {
  readonly host: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** A header that is set to the model of each request before it is routed, as body-based routing does. */
  readonly modelHeader?: string
}

interface EntriesOptions {
  readonly world: World
  readonly network: PodNetwork
  /** A Kube of its own process: its lag is the gateway's. */
  readonly kubeOf: (process: string) => Kube
  readonly reach: (service: string, port: number, from: 'cluster' | 'outside') => Route
}

/** The gateways and Ingress controllers of a sandbox, each made when somebody first comes in by it. */
export class Entries {
  private readonly options: EntriesOptions
  private readonly planes = new Map<string, DataPlane>()

  constructor(options: EntriesOptions) {
    this.options = options
  }

  /** Throws a RangeError for a controller nobody here knows. */
  enter(point: EntryPoint): Route {
    if (point.via === 'service') return this.options.reach(point.service, point.port, point.from)
    const plane = this.planeOf(point)
    const { host, path, headers, modelHeader } = point.request
    const head: HttpRequest = { method: 'POST', host, path, query: {}, headers: lowerCase(headers) }
    return {
      send: (request, observer) =>
        plane.send(
          modelHeader ? { ...head, headers: { ...head.headers, [modelHeader.toLowerCase()]: request.model } } : head,
          request,
          observer,
        ),
    }
  }

  private planeOf(point: GatewayEntry | IngressEntry): DataPlane {
    const name = point.via === 'gateway' ? `gateway/${point.gateway}:${point.port}` : `ingress/${point.className ?? ''}`
    let plane = this.planes.get(name)
    if (!plane) {
      const { world, network, kubeOf } = this.options
      const behaviour = behaviourOf(point)
      const kube = kubeOf(name)
      const endpoints = new EndpointView(world, kube, behaviour.sync)
      const match = followed(kube, () => compile(point, kube, behaviour))
      const admits = point.peer && policed(kube, point.peer)
      plane = new DataPlane({ world, network, behaviour, endpoints, match, name, ...(admits ? { admits } : {}) })
      this.planes.set(name, plane)
    }
    return plane
  }
}

/** How the implementation behind an entry behaves. Throws a RangeError when nobody here knows it. */
export function behaviourOf(point: GatewayEntry | IngressEntry): Behaviour {
  const behaviour = (point.via === 'gateway' ? gatewayControllers : ingressControllers).get(point.controller)
  if (!behaviour) throw new RangeError(`no behaviour of ${point.controller} is known`)
  return behaviour
}

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const FOLLOWED: readonly Kind[] = [
  Gateway,
  HTTPRoute,
  Ingress,
  Service,
  Namespace,
  BackendTrafficPolicy,
  GCPBackendPolicy,
  ReferenceGrant,
] as readonly Kind[]

/** Rules that are made anew at the first request after something they are made of has changed. */
function followed(kube: Kube, make: () => MatchRule): MatchRule {
  let rules: MatchRule | undefined
  const changed = () => {
    rules = undefined
  }
  for (const kind of FOLLOWED) kube.watch(kind, { added: changed, updated: changed, deleted: changed })
  return (request) => {
    rules ??= make()
    return rules(request)
  }
}

function compile(point: GatewayEntry | IngressEntry, objects: Kube, behaviour: Behaviour): MatchRule {
  if (point.via === 'ingress') {
    const { className, settings } = point
    return ingressRules({ objects, behaviour, settings, owns: (ingress) => classOf(ingress) === className })
  }
  const gateway = objects.get(Gateway, point.gateway)
  return gateway ? gatewayRules({ gateway, objects, behaviour, port: point.port }) : () => undefined
}

/** The class an Ingress asks for, in its field or as it was done before there was one. */
export const classOf = ({ spec, metadata }: o.Ingress): string | undefined =>
  spec.ingressClassName ?? metadata.annotations?.['kubernetes.io/ingress.class']
