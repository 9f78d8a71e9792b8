import type * as o from '../../kube/objects.ts'
import type { Strategy, StrategyContext } from '../strategy.ts'
import { each, fill, fillZero, within } from './fill.ts'

type Spec = o.Service['spec'] & {
  ipFamilies?: string[]
  ipFamilyPolicy?: string
  sessionAffinityConfig?: object
  allocateLoadBalancerNodePorts?: boolean
}

/** Follows pkg/apis/core/v1/defaults.go SetDefaults_Service. */
function defaultService(service: o.Service): o.Service {
  return within(service, 'spec', (given) => {
    let spec: Spec = fillZero(given, { sessionAffinity: 'None', type: 'ClusterIP' })
    if (spec.sessionAffinity === 'ClientIP')
      spec = fill(spec, { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } })
    spec = within(spec, 'ports', (ports) =>
      each(ports, (port) => fillZero(port, { protocol: 'TCP', targetPort: port.port })),
    )
    if (takesNodePorts(spec)) spec = fillZero(spec, { externalTrafficPolicy: 'Cluster' })
    if (spec.type !== 'ExternalName') spec = fill(spec, { internalTrafficPolicy: 'Cluster' })
    return spec.type === 'LoadBalancer' ? fill(spec, { allocateLoadBalancerNodePorts: true }) : spec
  })
}

export const takesNodePorts = ({ type }: o.Service['spec']): boolean => type === 'NodePort' || type === 'LoadBalancer'

/** Addresses and ports for what has none. Follows pkg/registry/core/service/storage/alloc.go. */
export function allocate(service: o.Service, context: StrategyContext): o.Service {
  let spec: Spec = service.spec
  if (spec.type === 'ExternalName') return service
  const headless = spec.clusterIP === 'None'
  const dual = headless && Object.keys(spec.selector ?? {}).length === 0
  spec = fill(spec, {
    ipFamilyPolicy: dual ? 'RequireDualStack' : 'SingleStack',
    ipFamilies: dual ? ['IPv4', 'IPv6'] : ['IPv4'],
  })
  const clusterIP = spec.clusterIP || context.allocateClusterIP()
  spec = fillZero(spec, { clusterIP, clusterIPs: [clusterIP] })
  return spec === service.spec ? service : { ...service, spec }
}

/** Follows pkg/registry/core/service/strategy.go. */
export const serviceStrategy: Strategy<o.Service> = {
  hasStatus: true,
  hasGeneration: false,
  default: defaultService,
  prepareForCreate: (service, context) => allocate({ ...service, status: { loadBalancer: {} } }, context),
}
