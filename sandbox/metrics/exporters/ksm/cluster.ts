import {
  EndpointSlice,
  HorizontalPodAutoscaler,
  Namespace,
  Node,
  PodDisruptionBudget,
  ResourceQuota,
  Service,
} from '../../../kube/kinds.ts'
import type * as o from '../../../kube/objects.ts'
import { parseQuantity } from '../../../kube/quantity.ts'
import {
  allConditions,
  created,
  flag,
  generation,
  type KindFamilies,
  labelsFamily,
  many,
  one,
  unixSeconds,
  type Value,
} from './generator.ts'
import { resourceValues } from './resources.ts'

// follows internal/store/node.go of kubernetes/kube-state-metrics
export const nodeFamilies: KindFamilies<o.Node> = {
  kind: Node,
  resource: 'nodes',
  base: ({ metadata }) => ({ node: metadata.name }),
  families: [
    many('kube_node_info', 'Information about a cluster node.', (node) => [[nodeInfo(node), 1]]),
    created('node'),
    one('kube_node_deletion_timestamp', 'Unix deletion timestamp', (n) => unixSeconds(n.metadata.deletionTimestamp)),
    labelsFamily('node', 'nodes'),
    many('kube_node_role', 'The role of a cluster node.', ({ metadata }) =>
      Object.keys(metadata.labels ?? {})
        .filter((key) => key.startsWith('node-role.kubernetes.io/'))
        .map((key) => [{ role: key.slice('node-role.kubernetes.io/'.length) }, 1]),
    ),
    one('kube_node_spec_unschedulable', 'Whether a node can schedule new pods.', (n) =>
      flag(n.spec.unschedulable === true),
    ),
    many('kube_node_spec_taint', 'The taint of a cluster node.', ({ spec }) =>
      (spec.taints ?? []).map(({ key, value = '', effect }) => [{ key, value, effect }, 1]),
    ),
    many(
      'kube_node_status_allocatable',
      'The allocatable for different resources of a node that are available for scheduling.',
      ({ status }) => resourceValues(status.allocatable, {}),
    ),
    many('kube_node_status_capacity', 'The capacity for different resources of a node.', ({ status }) =>
      resourceValues(status.capacity, {}),
    ),
    many('kube_node_status_condition', 'The condition of a cluster node.', ({ status }) =>
      allConditions(status.conditions),
    ),
    many('kube_node_status_addresses', 'Node address information.', ({ status }) =>
      (status.addresses ?? []).map(({ type, address }) => [{ type, address }, 1]),
    ),
  ],
}

function nodeInfo({ spec, status }: o.Node): Record<string, string> {
  const info = status.nodeInfo ?? {}
  return {
    kernel_version: info.kernelVersion ?? '',
    os_image: info.osImage ?? '',
    container_runtime_version: info.containerRuntimeVersion ?? '',
    kubelet_version: info.kubeletVersion ?? '',
    kubeproxy_version: 'deprecated',
    provider_id: spec.providerID ?? '',
    pod_cidr: spec.podCIDR ?? '',
    system_uuid: info.systemUUID ?? '',
    internal_ip: status.addresses?.find((a) => a.type === 'InternalIP')?.address ?? '',
  }
}

/** The parts of a target or status that are whole numbers: others have no sample, as upstream's AsInt64. */
function targetValues(name: string, target: Partial<o.MetricTarget>): Value[] {
  const whole = (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    const { nanos } = parseQuantity(text)
    return nanos % 1_000_000_000n === 0n ? Number(nanos / 1_000_000_000n) : undefined
  }
  const of = (type: string, value: number | undefined): Value => [
    { metric_name: name, metric_target_type: type },
    value,
  ]
  return [
    of('value', whole(target.value)),
    of('utilization', target.averageUtilization),
    of('average', whole(target.averageValue)),
  ]
}

function specTargets({ spec }: o.HorizontalPodAutoscaler): Value[] {
  return spec.metrics.flatMap(({ resource, containerResource, pods, object, external }) => {
    const byName = resource ?? containerResource
    if (byName) return targetValues(byName.name, byName.target)
    const other = pods ?? object ?? external
    return other ? targetValues(other.metric.name, other.target) : []
  })
}

function statusTargets({ status }: o.HorizontalPodAutoscaler): Value[] {
  return (status.currentMetrics ?? []).flatMap(({ resource, containerResource, pods, object, external }) => {
    const byName = resource ?? containerResource
    if (byName) return targetValues(byName.name, byName.current)
    const other = pods ?? object ?? external
    return other ? targetValues(other.metric.name, other.current) : []
  })
}

const HPA = 'kube_horizontalpodautoscaler'

// follows internal/store/horizontalpodautoscaler.go of kubernetes/kube-state-metrics
export const hpaFamilies: KindFamilies<o.HorizontalPodAutoscaler> = {
  kind: HorizontalPodAutoscaler,
  resource: 'horizontalpodautoscalers',
  base: ({ metadata }) => ({ namespace: metadata.namespace ?? '', horizontalpodautoscaler: metadata.name }),
  families: [
    many(`${HPA}_info`, 'Information about this autoscaler.', ({ spec }) => {
      const { apiVersion, kind, name } = spec.scaleTargetRef
      return [
        [{ scaletargetref_api_version: apiVersion ?? '', scaletargetref_kind: kind, scaletargetref_name: name }, 1],
      ]
    }),
    created('horizontalpodautoscaler'),
    generation('horizontalpodautoscaler', 'The generation observed by the HorizontalPodAutoscaler controller.'),
    labelsFamily('horizontalpodautoscaler', 'horizontalpodautoscalers'),
    one(
      `${HPA}_spec_max_replicas`,
      'Upper limit for the number of pods that can be set by the autoscaler; cannot be smaller than MinReplicas.',
      (h) => h.spec.maxReplicas,
    ),
    one(
      `${HPA}_spec_min_replicas`,
      'Lower limit for the number of pods that can be set by the autoscaler, default 1.',
      (h) => h.spec.minReplicas,
    ),
    many(
      `${HPA}_spec_target_metric`,
      'The metric specifications used by this autoscaler when calculating the desired replica count.',
      specTargets,
    ),
    many(
      `${HPA}_status_target_metric`,
      'The current metric status used by this autoscaler when calculating the desired replica count.',
      statusTargets,
    ),
    many(`${HPA}_status_condition`, 'The condition of this autoscaler.', ({ status }) =>
      allConditions(status.conditions),
    ),
    one(
      `${HPA}_status_current_replicas`,
      'Current number of replicas of pods managed by this autoscaler.',
      (h) => h.status.currentReplicas ?? 0,
    ),
    one(
      `${HPA}_status_desired_replicas`,
      'Desired number of replicas of pods managed by this autoscaler.',
      (h) => h.status.desiredReplicas,
    ),
  ],
}

// follows internal/store/poddisruptionbudget.go of kubernetes/kube-state-metrics
export const pdbFamilies: KindFamilies<o.PodDisruptionBudget> = {
  kind: PodDisruptionBudget,
  resource: 'poddisruptionbudgets',
  base: ({ metadata }) => ({ namespace: metadata.namespace ?? '', poddisruptionbudget: metadata.name }),
  families: [
    created('poddisruptionbudget'),
    labelsFamily('poddisruptionbudget', 'poddisruptionbudgets'),
    one(
      'kube_poddisruptionbudget_status_current_healthy',
      'Current number of healthy pods',
      (p) => p.status.currentHealthy,
    ),
    one(
      'kube_poddisruptionbudget_status_desired_healthy',
      'Minimum desired number of healthy pods',
      (p) => p.status.desiredHealthy,
    ),
    one(
      'kube_poddisruptionbudget_status_pod_disruptions_allowed',
      'Number of pod disruptions that are currently allowed',
      (p) => p.status.disruptionsAllowed,
    ),
    one(
      'kube_poddisruptionbudget_status_expected_pods',
      'Total number of pods counted by this disruption budget',
      (p) => p.status.expectedPods,
    ),
    one(
      'kube_poddisruptionbudget_status_observed_generation',
      'Most recent generation observed when updating this PDB status',
      (p) => p.status.observedGeneration ?? 0,
    ),
  ],
}

// follows internal/store/resourcequota.go of kubernetes/kube-state-metrics
export const quotaFamilies: KindFamilies<o.ResourceQuota> = {
  kind: ResourceQuota,
  resource: 'resourcequotas',
  base: ({ metadata }) => ({ namespace: metadata.namespace ?? '', resourcequota: metadata.name }),
  families: [
    created('resourcequota'),
    many('kube_resourcequota', 'Information about resource quota.', ({ status }) =>
      (['hard', 'used'] as const).flatMap((type) =>
        Object.entries(status.hard && status[type] ? status[type] : {}).map(
          ([resource, text]): Value => [{ resource, type }, Number(parseQuantity(text).nanos / 1_000_000n) / 1e3],
        ),
      ),
    ),
  ],
}

// follows internal/store/service.go of kubernetes/kube-state-metrics
export const serviceFamilies: KindFamilies<o.Service> = {
  kind: Service,
  resource: 'services',
  base: ({ metadata }) => ({ namespace: metadata.namespace ?? '', service: metadata.name, uid: metadata.uid }),
  families: [
    many('kube_service_info', 'Information about service.', ({ spec }) => [[{ cluster_ip: spec.clusterIP ?? '' }, 1]]),
    many('kube_service_spec_type', 'Type about service.', ({ spec }) => [[{ type: spec.type }, 1]]),
    created('service'),
    labelsFamily('service', 'services'),
  ],
}

/** Of Endpoints objects, worked out from the slices: the sandbox has no Endpoints. */
// follows internal/store/endpoint.go of kubernetes/kube-state-metrics
export const endpointFamilies: KindFamilies<o.EndpointSlice> = {
  kind: EndpointSlice,
  resource: 'endpoints',
  base: ({ metadata }) => ({
    namespace: metadata.namespace ?? '',
    endpoint: metadata.labels?.['kubernetes.io/service-name'] ?? metadata.name,
  }),
  families: [
    one('kube_endpoint_info', 'Information about endpoint.', () => 1),
    created('endpoint'),
    many('kube_endpoint_address', 'Information about Endpoint available and non available addresses.', (slice) =>
      slice.endpoints
        .filter((e) => !e.conditions.terminating)
        .flatMap((endpoint) =>
          slice.ports.map(
            (port): Value => [
              {
                ip: endpoint.addresses[0] ?? '',
                port_protocol: port.protocol ?? 'TCP',
                port_number: String(port.port ?? ''),
                port_name: port.name ?? '',
                ready: String(endpoint.conditions.ready !== false),
              },
              1,
            ],
          ),
        ),
    ),
  ],
}

// follows internal/store/namespace.go of kubernetes/kube-state-metrics
export const namespaceFamilies: KindFamilies<o.OtherObject> = {
  kind: Namespace,
  resource: 'namespaces',
  base: ({ metadata }) => ({ namespace: metadata.name }),
  families: [
    created('namespace'),
    labelsFamily('namespace', 'namespaces'),
    many('kube_namespace_status_phase', 'kubernetes namespace status phase.', ({ metadata }) =>
      ['Active', 'Terminating'].map((phase) => [
        { phase },
        flag((phase === 'Terminating') === (metadata.deletionTimestamp !== undefined)),
      ]),
    ),
  ],
}
