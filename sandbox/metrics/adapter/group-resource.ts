/** A kind of object as the custom metrics API names it: group and plural, like `deployments.apps`. */
export interface GroupResource {
  readonly group: string
  /** Lower-case plural. */
  readonly resource: string
  readonly singular: string
  readonly kind: string
  readonly namespaced: boolean
}

const table: readonly (readonly [group: string, plural: string, kind: string, namespaced?: false])[] = [
  ['', 'pods', 'Pod'],
  ['', 'services', 'Service'],
  ['', 'endpoints', 'Endpoints'],
  ['', 'configmaps', 'ConfigMap'],
  ['', 'secrets', 'Secret'],
  ['', 'persistentvolumeclaims', 'PersistentVolumeClaim'],
  ['', 'replicationcontrollers', 'ReplicationController'],
  ['', 'serviceaccounts', 'ServiceAccount'],
  ['', 'namespaces', 'Namespace', false],
  ['', 'nodes', 'Node', false],
  ['', 'persistentvolumes', 'PersistentVolume', false],
  ['apps', 'deployments', 'Deployment'],
  ['apps', 'replicasets', 'ReplicaSet'],
  ['apps', 'statefulsets', 'StatefulSet'],
  ['apps', 'daemonsets', 'DaemonSet'],
  ['batch', 'jobs', 'Job'],
  ['batch', 'cronjobs', 'CronJob'],
  ['autoscaling', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'],
  ['networking.k8s.io', 'ingresses', 'Ingress'],
  ['networking.k8s.io', 'networkpolicies', 'NetworkPolicy'],
  ['policy', 'poddisruptionbudgets', 'PodDisruptionBudget'],
  ['gateway.networking.k8s.io', 'gateways', 'Gateway'],
  ['gateway.networking.k8s.io', 'httproutes', 'HTTPRoute'],
]

const RESOURCES: readonly GroupResource[] = table.map(([group, resource, kind, namespaced = true]) => ({
  group,
  resource,
  singular: kind.toLowerCase(),
  kind,
  namespaced,
}))

/** The resource by a singular or plural name; without a group, the first that has the name. */
// follows the RESTMapper as CustomMetricInfo.Normalized uses it
export function resourceFor(name: string, group = ''): GroupResource | undefined {
  const lower = name.toLowerCase()
  const named = RESOURCES.filter((r) => r.resource === lower || r.singular === lower)
  return group === '' ? named[0] : named.find((r) => r.group === group)
}

export const resourceOfKind = (kind: string, apiVersion: string): GroupResource | undefined => {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return RESOURCES.find((r) => r.kind === kind && r.group === group)
}

/** `pods`, `deployments.apps`. */
export const textOf = ({ resource, group }: GroupResource): string => (group ? `${resource}.${group}` : resource)
