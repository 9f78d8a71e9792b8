import type * as o from '../../kube/objects.ts'
import { oneOf } from './containers.ts'
import { type Causes, duplicate, forbidden, invalids, invalidValue, required } from './field.ts'
import { labels } from './meta.ts'
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from './names.ts'
import { portNumberOrName } from './probes.ts'

/** All but the metadata. Follows pkg/apis/core/validation/validation.go validateService. */
export function serviceSpec(service: o.Service): Causes {
  const { spec } = service
  const { type, ports = [] } = spec
  const headless = spec.clusterIP === 'None'
  return [
    ...(ports.length === 0 && !headless && type !== 'ExternalName' ? [required('spec.ports')] : []),
    ...(headless && (type === 'LoadBalancer' || type === 'NodePort')
      ? [invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`)]
      : []),
    ...(type === 'ExternalName' ? externalName(spec as ExternalSpec) : []),
    ...servicePorts(ports),
    ...labels(spec.selector, 'spec.selector'),
    ...oneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity'),
    ...oneOf(type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], 'spec.type'),
    ...(type === 'ClusterIP'
      ? ports.flatMap((port, i) =>
          port.nodePort ? [forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'")] : [],
        )
      : []),
    ...twice(ports),
  ]
}

/** The cluster IP stays. Follows validateUpgradeDowngradeClusterIPs. */
export function serviceUpdate(service: o.Service, before: o.Service): Causes {
  const [now, was] = [service.spec, before.spec]
  if (now.type === 'ExternalName' || was.type === 'ExternalName') return []
  const same = now.clusterIPs?.[0] === was.clusterIPs?.[0]
  return same ? [] : [invalidValue('spec.clusterIPs[0]', now.clusterIPs?.[0] ?? '', 'may not change once set')]
}

type ExternalSpec = o.Service['spec'] & { externalName?: string }

function externalName(spec: ExternalSpec): Causes {
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  return [
    ...(spec.clusterIPs?.length ? [forbidden('spec.clusterIPs', 'may not be set for ExternalName services')] : []),
    ...(name ? invalids('spec.externalName', name, dns1123Subdomain(name)) : [required('spec.externalName')]),
  ]
}

function servicePorts(ports: readonly o.ServicePort[]): Causes {
  const names = new Set<string>()
  return ports.flatMap(({ name, port, targetPort, protocol, appProtocol }, i) => {
    const at = `spec.ports[${i}]`
    const causes: Causes = []
    if (ports.length > 1 && !name) causes.push(required(`${at}.name`))
    else if (name) {
      causes.push(...invalids(`${at}.name`, name, dns1123Label(name)))
      if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
      names.add(name)
    }
    return [
      ...causes,
      ...invalids(`${at}.port`, port ?? 0, portNumber(port ?? 0)),
      ...oneOf(protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`),
      ...portNumberOrName(targetPort, `${at}.targetPort`),
      ...(appProtocol === undefined ? [] : invalids(`${at}.appProtocol`, appProtocol, qualifiedName(appProtocol))),
    ]
  })
}

/** Node ports and ports, each once per protocol. */
function twice(ports: readonly o.ServicePort[]): Causes {
  const taken = new Set<string>()
  const again = (key: string) => taken.size === taken.add(key).size
  const nodePorts = ports.flatMap(({ nodePort, protocol }, i) =>
    nodePort && again(`node/${protocol}/${nodePort}`) ? [duplicate(`spec.ports[${i}].nodePort`, nodePort)] : [],
  )
  const own = ports.flatMap(({ port, protocol }, i) =>
    again(`${protocol}/${port}`)
      ? [
          duplicate(`spec.ports[${i}]`, {
            Name: '',
            Protocol: protocol,
            AppProtocol: null,
            Port: port,
            TargetPort: 0,
            NodePort: 0,
          }),
        ]
      : [],
  )
  return [...nodePorts, ...own]
}
