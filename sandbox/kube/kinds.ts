import type * as o from './objects.ts'

/** How a kind is named and stored. `T` is the type of its objects. */
export interface Kind<T extends o.KubeObject = o.KubeObject> {
  readonly apiVersion: string
  readonly kind: string
  /** Lower-case plural, as in URLs. */
  readonly plural: string
  readonly namespaced: boolean
  /** `plural.group`, or the plural alone for the core group: what kubectl and error messages use. Unique. */
  readonly id: string
  /** Never set: carries the object type. */
  readonly type?: T
}

const registered = new Map<string, Kind>()

function define<T extends o.KubeObject>(apiVersion: string, kind: string, plural: string, namespaced = true): Kind<T> {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const made: Kind<T> = { apiVersion, kind, plural, namespaced, id: group ? `${plural}.${group}` : plural }
  registered.set(`${apiVersion}/${kind}`, made)
  return made
}

export const Pod = define<o.Pod>('v1', 'Pod', 'pods')
export const Node = define<o.Node>('v1', 'Node', 'nodes', false)
export const Service = define<o.Service>('v1', 'Service', 'services')
export const Event = define<o.KubeEvent>('v1', 'Event', 'events')
export const Namespace = define<o.OtherObject>('v1', 'Namespace', 'namespaces', false)
export const ConfigMap = define<o.OtherObject>('v1', 'ConfigMap', 'configmaps')
export const Secret = define<o.OtherObject>('v1', 'Secret', 'secrets')
export const ServiceAccount = define<o.OtherObject>('v1', 'ServiceAccount', 'serviceaccounts')
export const PersistentVolumeClaim = define<o.PersistentVolumeClaim>(
  'v1',
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
)
export const PersistentVolume = define<o.PersistentVolume>('v1', 'PersistentVolume', 'persistentvolumes', false)
export const Deployment = define<o.Deployment>('apps/v1', 'Deployment', 'deployments')
export const ReplicaSet = define<o.ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets')
export const StatefulSet = define<o.StatefulSet>('apps/v1', 'StatefulSet', 'statefulsets')
export const DaemonSet = define<o.DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets')
export const ControllerRevision = define<o.ControllerRevision>('apps/v1', 'ControllerRevision', 'controllerrevisions')
export const Job = define<o.Job>('batch/v1', 'Job', 'jobs')
export const HorizontalPodAutoscaler = define<o.HorizontalPodAutoscaler>(
  'autoscaling/v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
)
export const EndpointSlice = define<o.EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices')
export const Lease = define<o.Lease>('coordination.k8s.io/v1', 'Lease', 'leases')
export const PriorityClass = define<o.PriorityClass>('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', false)
export const PodDisruptionBudget = define<o.PodDisruptionBudget>(
  'policy/v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
)
export const ResourceQuota = define<o.ResourceQuota>('v1', 'ResourceQuota', 'resourcequotas')
export const LimitRange = define<o.LimitRange>('v1', 'LimitRange', 'limitranges')
export const ScaledObject = define<o.ScaledObject>('keda.sh/v1alpha1', 'ScaledObject', 'scaledobjects')
export const TriggerAuthentication = define<o.TriggerAuthentication>(
  'keda.sh/v1alpha1',
  'TriggerAuthentication',
  'triggerauthentications',
)
export const ClusterTriggerAuthentication = define<o.TriggerAuthentication>(
  'keda.sh/v1alpha1',
  'ClusterTriggerAuthentication',
  'clustertriggerauthentications',
  false,
)
export const NodePool = define<o.NodePool>('karpenter.sh/v1', 'NodePool', 'nodepools', false)
export const NodeClaim = define<o.NodeClaim>('karpenter.sh/v1', 'NodeClaim', 'nodeclaims', false)
define('karpenter.k8s.aws/v1', 'EC2NodeClass', 'ec2nodeclasses', false)
define('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false)
define('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', false)
export const StorageClass = define<o.StorageClass>('storage.k8s.io/v1', 'StorageClass', 'storageclasses', false)
export const VolumeAttachment = define<o.VolumeAttachment>(
  'storage.k8s.io/v1',
  'VolumeAttachment',
  'volumeattachments',
  false,
)
export const CSINode = define<o.CSINode>('storage.k8s.io/v1', 'CSINode', 'csinodes', false)
export const CSIDriver = define<o.CSIDriver>('storage.k8s.io/v1', 'CSIDriver', 'csidrivers', false)
export const CSIStorageCapacity = define<o.CSIStorageCapacity>(
  'storage.k8s.io/v1',
  'CSIStorageCapacity',
  'csistoragecapacities',
)
export const CustomResourceDefinition = define<o.OtherObject>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false,
)
export const NetworkPolicy = define<o.NetworkPolicy>('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies')
export const Ingress = define<o.Ingress>('networking.k8s.io/v1', 'Ingress', 'ingresses')
export const IngressClass = define<o.IngressClass>('networking.k8s.io/v1', 'IngressClass', 'ingressclasses', false)
const GATEWAY_API = 'gateway.networking.k8s.io/v1'
export const GatewayClass = define<o.GatewayClass>(GATEWAY_API, 'GatewayClass', 'gatewayclasses', false)
export const Gateway = define<o.Gateway>(GATEWAY_API, 'Gateway', 'gateways')
export const HTTPRoute = define<o.HTTPRoute>(GATEWAY_API, 'HTTPRoute', 'httproutes')
export const ReferenceGrant = define<o.ReferenceGrant>(
  'gateway.networking.k8s.io/v1beta1',
  'ReferenceGrant',
  'referencegrants',
)

const builtIn: readonly Kind[] = [...registered.values()]

/** The kind of that group and name that is defined here, in whatever version. Group '' is the core group. */
export const knownKind = (group: string, kind: string): Kind | undefined =>
  builtIn.find((known) => known.kind === kind && groupOf(known) === group)

const groupOf = ({ apiVersion }: Kind): string => {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}

/** The kind of an object; one not known here is taken as namespaced, with a plural by kubectl's guess. */
export function kindOf(object: { apiVersion: string; kind: string }): Kind {
  const known = registered.get(`${object.apiVersion}/${object.kind}`)
  if (known) return known
  const lower = object.kind.toLowerCase()
  const plural = /(s|x|z|ch|sh)$/.test(lower)
    ? `${lower}es`
    : lower.endsWith('y')
      ? `${lower.slice(0, -1)}ies`
      : `${lower}s`
  return define(object.apiVersion, object.kind, plural, !object.kind.startsWith('Cluster'))
}

/** Every kind that is known now: those of this file, those that actors name, and those that objects had. */
export const knownKinds = (): readonly Kind[] => [...registered.values()]

/** The known kind of a plural with its group: `deployments.apps`. */
export function kindNamed(id: string): Kind | undefined {
  for (const kind of registered.values()) if (kind.id === id) return kind
  return undefined
}

/** `namespace/name`, or the name alone where there is no namespace: the key of client-go's caches. */
export const keyOf = (object: { metadata: { namespace?: string; name?: string } }): string =>
  object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : `${object.metadata.name}`

export const splitKey = (key: string): { namespace?: string; name: string } => {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
