import { controllerOf } from '../../kube/indexes.ts'
import type { Container, Node, ObjectMeta, Pod, Service, ServicePort } from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'

/** `__meta_` labels of a discovered target, before relabelling. */
export type MetaLabels = Record<string, string>

export const META = '__meta_kubernetes_'

/** Characters a label name cannot have become underscores. */
// follows SanitizeLabelName of prometheus/util/strutil/strconv.go
export const sanitize = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_')

/** Labels and annotations of an object, each with a label that says it is there. */
export function objectLabels(metadata: ObjectMeta, kind: string): MetaLabels {
  const out: MetaLabels = { [`${META}${kind}_name`]: metadata.name }
  for (const [what, map] of [
    ['label', metadata.labels],
    ['annotation', metadata.annotations],
  ] as const)
    for (const [key, value] of Object.entries(map ?? {})) {
      out[`${META}${kind}_${what}_${sanitize(key)}`] = value
      out[`${META}${kind}_${what}present_${sanitize(key)}`] = 'true'
    }
  return out
}

// follows podLabels of prometheus/discovery/kubernetes/pod.go
export function podLabels(pod: Pod): MetaLabels {
  const owner = controllerOf(pod)
  return {
    [`${META}pod_ip`]: pod.status.podIP ?? '',
    [`${META}pod_ready`]: (condition(pod, 'Ready')?.status ?? 'Unknown').toLowerCase(),
    [`${META}pod_phase`]: pod.status.phase,
    [`${META}pod_node_name`]: pod.spec.nodeName ?? '',
    [`${META}pod_host_ip`]: pod.status.hostIP ?? '',
    [`${META}pod_uid`]: pod.metadata.uid,
    ...objectLabels(pod.metadata, 'pod'),
    ...(owner ? { [`${META}pod_controller_kind`]: owner.kind, [`${META}pod_controller_name`]: owner.name } : {}),
  }
}

type ContainerPort = NonNullable<Container['ports']>[number]

/** Of a container, and of one of its ports. */
export function containerLabels(pod: Pod, container: Container, port?: ContainerPort): MetaLabels {
  return {
    [`${META}pod_container_name`]: container.name,
    [`${META}pod_container_image`]: container.image,
    [`${META}pod_container_init`]: String(!pod.spec.containers.includes(container)),
    ...(port
      ? {
          [`${META}pod_container_port_number`]: String(port.containerPort),
          [`${META}pod_container_port_name`]: port.name ?? '',
          [`${META}pod_container_port_protocol`]: port.protocol ?? 'TCP',
        }
      : {}),
  }
}

export const containersOf = (pod: Pod): readonly Container[] => [
  ...pod.spec.containers,
  ...(pod.spec.initContainers ?? []),
]

// follows buildService of prometheus/discovery/kubernetes/service.go
export const servicePortLabels = (service: Service, port: ServicePort): MetaLabels => ({
  [`${META}service_port_name`]: port.name ?? '',
  [`${META}service_port_number`]: String(port.port),
  [`${META}service_port_protocol`]: port.protocol,
  [`${META}service_type`]: service.spec.type,
  [`${META}service_cluster_ip`]: service.spec.clusterIP ?? '',
})

// follows nodeLabels and buildNode of prometheus/discovery/kubernetes/node.go
export function nodeLabels(node: Node): MetaLabels {
  const out: MetaLabels = { ...objectLabels(node.metadata, 'node'), instance: node.metadata.name }
  out[`${META}node_provider_id`] = node.spec.providerID ?? ''
  for (const { type, status } of node.status.conditions ?? [])
    out[`${META}node_condition_${sanitize(type.toLowerCase())}`] = status.toLowerCase()
  for (const { type, address } of node.status.addresses ?? []) out[`${META}node_address_${sanitize(type)}`] ??= address
  return out
}
