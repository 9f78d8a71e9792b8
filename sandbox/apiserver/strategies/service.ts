import { invalid } from '../../kube/errors.ts'
import { Service } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Strategy } from '../strategy.ts'
import { objectMeta, objectMetaUpdate } from '../validation/meta.ts'
import { dns1123Label } from '../validation/names.ts'
import { serviceSpec, serviceUpdate } from '../validation/service.ts'
import { each, fill, fillZero, within } from './fill.ts'
import { allocate, carriedOver, release, type ServiceSpec, takesNodePorts } from './service-addresses.ts'

/** Follows pkg/apis/core/v1/defaults.go SetDefaults_Service. */
function defaultService(service: o.Service): o.Service {
  return within(service, 'spec', (given) => {
    let spec: ServiceSpec = fillZero(given, { sessionAffinity: 'None', type: 'ClusterIP' })
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

/** Follows pkg/registry/core/service/strategy.go and storage/alloc.go. */
export const serviceStrategy: Strategy<o.Service> = {
  hasStatus: true,
  hasGeneration: false,
  default: defaultService,
  prepareForCreate: (service, context) => allocate({ ...service, status: { loadBalancer: {} } }, undefined, context),
  prepareForUpdate: (service, before, context) => {
    const kept = carriedOver(service, before)
    const causes = serviceUpdate(kept, before)
    if (causes.length > 0) throw invalid(Service, before.metadata.name, causes)
    return allocate(kept, before, context)
  },
  released: release,
  validate: (service) => [...objectMeta(service.metadata, dns1123Label), ...serviceSpec(service)],
  validateUpdate: (service, before) => [
    ...objectMetaUpdate(service.metadata, before.metadata),
    ...serviceSpec(service),
  ],
}
