import { EndpointSlice, keyOf, Service } from '../kube/kinds.ts'
import type { Index, Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'

/** An endpoint of one Service port, as kube-proxy knows it. */
export interface ProxyEndpoint {
  readonly ip: string
  readonly port: number
  readonly local: boolean
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
}

/** What kube-proxy's rules do with a new connection to one Service port. */
export interface PortRules {
  /** For clients in the cluster, who use the cluster IP. */
  readonly internal: Destination
  /** For clients outside, who come through a node port or a load balancer. */
  readonly external: Destination
  /** How long a client stays with its endpoint; 0: each connection is drawn anew. */
  readonly affinitySeconds: number
}

/** Endpoints one of which is drawn; or an answer by RST; or none at all, where a policy wants local endpoints and has none. */
type Destination = readonly ProxyEndpoint[] | 'reject' | 'drop'

/** The slices of a Service. */
const slicesByService: Index<o.EndpointSlice> = {
  kind: EndpointSlice,
  name: 'service',
  values: ({ metadata }) => {
    const name = metadata.labels?.['kubernetes.io/service-name']
    return name ? [`${metadata.namespace}/${name}`] : []
  },
}

const DEFAULT_AFFINITY_SECONDS = 10_800

/**
 * A Service's rules by port number, as the caches of `kube` have it now; undefined for a Service that has none: one without
 * a cluster IP, or an alias. Follows syncProxyRules in pkg/proxy/iptables/proxier.go.
 */
export function rulesOf(kube: Kube, serviceKey: string, nodeName: string): Map<number, PortRules> | undefined {
  const service = kube.get(Service, serviceKey)
  if (!service) return undefined
  const { clusterIP, type, ports = [], sessionAffinity, sessionAffinityConfig } = service.spec
  if (!clusterIP || clusterIP === 'None' || type === 'ExternalName') return undefined
  const slices = kube.indexed(slicesByService, keyOf(service))
  const affinitySeconds =
    sessionAffinity === 'ClientIP' ? (sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS) : 0
  const rules = new Map<number, PortRules>()
  for (const port of ports) {
    const endpoints = endpointsOf(slices, port, nodeName)
    rules.set(port.port, { ...categorize(endpoints, service), affinitySeconds })
  }
  return rules
}

/** The endpoints of a Service's port, whatever its type and their state: what proxies that do not use the cluster IP go by. */
export function portEndpoints(kube: Kube, serviceKey: string, port: number): readonly ProxyEndpoint[] {
  const service = kube.get(Service, serviceKey)
  const servicePort = service?.spec.ports?.find((one) => one.port === port)
  if (!service || !servicePort) return []
  return endpointsOf(kube.indexed(slicesByService, serviceKey), servicePort, '')
}

/** The endpoints of one port over all slices, in the order of their addresses. Follows pkg/proxy/endpointslicecache.go. */
function endpointsOf(
  slices: readonly o.EndpointSlice[],
  servicePort: o.ServicePort,
  nodeName: string,
): ProxyEndpoint[] {
  const known = new Map<string, ProxyEndpoint>()
  for (const { ports, endpoints } of slices)
    for (const { name = '', port, protocol = 'TCP' } of ports) {
      if (!port || name !== (servicePort.name ?? '') || protocol !== servicePort.protocol) continue
      for (const { addresses, conditions, nodeName: node } of endpoints) {
        const [ip] = addresses
        if (!ip) continue
        const { ready = true, serving = true, terminating = false } = conditions
        const key = `${ip}:${port}`
        // an address that moves to another pod is in two slices for a while: the living one counts
        if (!known.has(key) || !terminating)
          known.set(key, { ip, port, ready, serving, terminating, local: node === nodeName })
      }
    }
  return [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint)
}

/** Follows pkg/proxy/topology.go CategorizeEndpoints (without topology hints), and what syncProxyRules makes of it. */
function categorize(endpoints: readonly ProxyEndpoint[], { spec }: o.Service): Omit<PortRules, 'affinitySeconds'> {
  const internalLocal = spec.internalTrafficPolicy === 'Local'
  const reachable = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
  const externalLocal = reachable && spec.externalTrafficPolicy === 'Local'
  const cluster = usable(endpoints)
  const local = usable(endpoints.filter((endpoint) => endpoint.local))
  const any = endpoints.some((endpoint) => endpoint.ready || (endpoint.serving && endpoint.terminating))
  const destination = (wantsLocal: boolean): Destination => {
    if (!any) return 'reject'
    const chosen = wantsLocal ? local : cluster
    return chosen.length > 0 ? chosen : 'drop'
  }
  return { internal: destination(internalLocal), external: destination(externalLocal) }
}

/** The ready ones; when there are none, those that terminate and still serve. */
function usable(endpoints: readonly ProxyEndpoint[]): ProxyEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.serving && endpoint.terminating)
}
