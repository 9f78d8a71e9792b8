import { EndpointSlice, keyOf, Node, Pod, Service } from '../../kube/kinds.ts'
import type { Index, Kube } from '../../kube/kube.ts'
import type {
  Endpoint,
  KubeObject,
  Node as NodeObject,
  Pod as PodObject,
  Service as ServiceObject,
  EndpointSlice as Slice,
} from '../../kube/objects.ts'
import {
  containerLabels,
  containersOf,
  META,
  type MetaLabels,
  nodeLabels,
  objectLabels,
  podLabels,
  servicePortLabels,
} from './meta-labels.ts'
import type { Discovery, Role } from './scrape-config.ts'

/** Port of a kubelet; its Node says so upstream. */
export const KUBELET_PORT = 10250

const SERVICE_NAME = 'kubernetes.io/service-name'

/** Targets that come of the same objects: they change together. */
export interface TargetGroup {
  readonly key: string
  /** While these are the same objects, so are the targets. */
  readonly from: readonly object[]
  /** Labels with `__address__`, before relabelling. */
  build(): readonly MetaLabels[]
}

/** Everything a discovery finds. From the client's cache, so as late as that is. */
export function discover(discovery: Discovery, kube: Kube): readonly TargetGroup[] {
  if (discovery.kind === 'static') {
    const { targets, labels } = discovery
    return [
      {
        key: 'static',
        from: [discovery],
        build: () => targets.map((address) => ({ ...labels, __address__: address })),
      },
    ]
  }
  const { namespaces } = discovery
  if (namespaces === undefined || discovery.role === 'node') return byRole[discovery.role](kube, undefined)
  return namespaces.flatMap((namespace) => byRole[discovery.role](kube, namespace))
}

/** The kinds a role watches. */
export const kindsOf: Readonly<
  Record<Role, readonly (typeof Pod | typeof Node | typeof Service | typeof EndpointSlice)[]>
> = {
  pod: [Pod],
  service: [Service],
  node: [Node],
  endpoints: [EndpointSlice, Service, Pod],
  endpointslice: [EndpointSlice, Service, Pod],
}

const byRole: Record<Role, (kube: Kube, namespace: string | undefined) => TargetGroup[]> = {
  pod: (kube, namespace) => kube.list(Pod, within(namespace)).map((pod) => groupOf(pod, () => podTargets(pod))),
  service: (kube, namespace) =>
    kube.list(Service, within(namespace)).map((service) => groupOf(service, () => serviceTargets(service))),
  node: (kube) => kube.list(Node).map((node) => groupOf(node, () => nodeTargets(node))),
  endpoints: (kube, namespace) => endpointGroups(kube, namespace, 'endpoints'),
  endpointslice: (kube, namespace) => endpointGroups(kube, namespace, 'endpointslice'),
}

const groupOf = (object: KubeObject, build: () => MetaLabels[]): TargetGroup => ({
  key: keyOf(object),
  from: [object],
  build,
})

function serviceTargets(service: ServiceObject): MetaLabels[] {
  return (service.spec.ports ?? []).map((port) => ({
    [`${META}namespace`]: service.metadata.namespace ?? '',
    ...objectLabels(service.metadata, 'service'),
    ...servicePortLabels(service, port),
    __address__: `${service.metadata.name}.${service.metadata.namespace}.svc:${port.port}`,
  }))
}

function nodeTargets(node: NodeObject): MetaLabels[] {
  const ip = node.status.addresses?.find((a) => a.type === 'InternalIP')?.address
  return ip ? [{ ...nodeLabels(node), __address__: `${ip}:${KUBELET_PORT}` }] : []
}

const within = (namespace: string | undefined) => (namespace === undefined ? {} : { namespace })

/** One target for each port of each container; a container without ports has one without a port. */
// follows buildPod of prometheus/discovery/kubernetes/pod.go
function podTargets(pod: PodObject): MetaLabels[] {
  const ip = pod.status.podIP
  if (!ip) return []
  const common = { [`${META}namespace`]: pod.metadata.namespace ?? '', ...podLabels(pod) }
  return containersOf(pod).flatMap((container): MetaLabels[] => {
    const ports = container.ports ?? []
    if (ports.length === 0) return [{ ...common, ...containerLabels(pod, container), __address__: ip }]
    return ports.map((port) => ({
      ...common,
      ...containerLabels(pod, container, port),
      __address__: `${ip}:${port.containerPort}`,
    }))
  })
}

/** Slices by `namespace/service`. */
const slicesOfService: Index<Slice> = {
  kind: EndpointSlice,
  name: 'scrape/service',
  values: (slice) => [`${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME] ?? ''}`],
}

/**
 * Addresses behind Services, and the other container ports of their pods. Endpoints objects are worked out from the slices: they
 * leave out what terminates, slices have it.
 */
// follows prometheus/discovery/kubernetes/endpoints.go and endpointslice.go; pkg/controller/endpoint/endpoints_controller.go
function endpointGroups(kube: Kube, namespace: string | undefined, role: 'endpoints' | 'endpointslice'): TargetGroup[] {
  return kube.list(Service, within(namespace)).map((service) => {
    const slices = kube.indexed(slicesOfService, keyOf(service))
    const pods = slices.flatMap((slice) => slice.endpoints.flatMap((endpoint) => podOf(kube, endpoint) ?? []))
    return {
      key: keyOf(service),
      from: [service, ...slices, ...pods],
      build: () => endpointTargets(kube, service, slices, role),
    }
  })
}

function podOf(kube: Kube, { targetRef }: Endpoint): PodObject | undefined {
  return targetRef?.kind === 'Pod' ? kube.get(Pod, `${targetRef.namespace ?? ''}/${targetRef.name}`) : undefined
}

function endpointTargets(
  kube: Kube,
  service: ServiceObject,
  slices: readonly Slice[],
  role: 'endpoints' | 'endpointslice',
): MetaLabels[] {
  const common = {
    [`${META}namespace`]: service.metadata.namespace ?? '',
    ...objectLabels(service.metadata, 'service'),
    [`${META}${role}_name`]: service.metadata.name,
  }
  const out: MetaLabels[] = []
  const seen = new Map<string, { pod: PodObject; ports: Set<number> }>()
  for (const slice of slices)
    for (const endpoint of slice.endpoints) {
      if (role === 'endpoints' && endpoint.conditions.terminating) continue
      for (const port of slice.ports) out.push({ ...common, ...addressOf(kube, endpoint, port, role, seen) })
    }
  for (const { pod, ports } of seen.values()) out.push(...otherPorts(pod, ports).map((t) => ({ ...common, ...t })))
  return out
}

function addressOf(
  kube: Kube,
  endpoint: Endpoint,
  port: Slice['ports'][number],
  role: 'endpoints' | 'endpointslice',
  seen: Map<string, { pod: PodObject; ports: Set<number> }>,
): MetaLabels {
  const prefix = `${META}${role === 'endpoints' ? 'endpoint' : 'endpointslice'}_`
  const { targetRef, conditions } = endpoint
  const ready = conditions.ready !== false
  const target: MetaLabels = {
    __address__: `${endpoint.addresses[0]}:${port.port}`,
    [`${prefix}port_name`]: port.name ?? '',
    [`${prefix}port_protocol`]: port.protocol ?? 'TCP',
    [role === 'endpoints' ? `${prefix}ready` : `${prefix}endpoint_conditions_ready`]: String(ready),
    ...(targetRef
      ? {
          [`${prefix}address_target_kind`]: targetRef.kind ?? '',
          [`${prefix}address_target_name`]: targetRef.name ?? '',
        }
      : {}),
    ...(endpoint.nodeName ? { [`${prefix}node_name`]: endpoint.nodeName } : {}),
  }
  if (role === 'endpointslice') {
    target[`${prefix}endpoint_conditions_serving`] = String(conditions.serving !== false)
    target[`${prefix}endpoint_conditions_terminating`] = String(conditions.terminating === true)
  }
  const pod = podOf(kube, endpoint)
  if (!pod) return target
  const entry = seen.get(keyOf(pod)) ?? { pod, ports: new Set<number>() }
  seen.set(keyOf(pod), entry)
  entry.ports.add(port.port ?? 0)
  Object.assign(target, podLabels(pod))
  for (const container of containersOf(pod))
    for (const own of container.ports ?? [])
      if (own.containerPort === port.port) Object.assign(target, containerLabels(pod, container, own))
  return target
}

/** Container ports that no Service port leads to. */
function otherPorts(pod: PodObject, covered: ReadonlySet<number>): MetaLabels[] {
  if (!pod.status.podIP) return []
  return containersOf(pod).flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => !covered.has(port.containerPort))
      .map((port) => ({
        ...podLabels(pod),
        ...containerLabels(pod, container, port),
        __address__: `${pod.status.podIP}:${port.containerPort}`,
      })),
  )
}
