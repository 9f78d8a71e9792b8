import type { Condition, IntOrString, KubeObject, ObjectReference } from './meta.ts'

// Nodes, Services and the rest.

export interface Taint {
  key: string
  value?: string
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
  timeAdded?: string
}

export interface Node extends KubeObject {
  kind: 'Node'
  spec: { unschedulable?: boolean; taints?: Taint[]; podCIDR?: string; providerID?: string }
  status: {
    capacity: Record<string, string>
    allocatable: Record<string, string>
    conditions?: Condition[]
    addresses?: { type: string; address: string }[]
    images?: { names: string[]; sizeBytes: number }[]
    nodeInfo?: Record<string, string>
    /** Names of the volumes its kubelet needs or has, of those that are attached. */
    volumesInUse?: string[]
    volumesAttached?: { name: string; devicePath: string }[]
  }
}

export interface ServicePort {
  name?: string
  port: number
  targetPort: IntOrString
  protocol: 'TCP' | 'UDP' | 'SCTP'
  nodePort?: number
  appProtocol?: string
}

export interface Service extends KubeObject {
  kind: 'Service'
  spec: {
    type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
    clusterIP?: string
    clusterIPs?: string[]
    selector?: Record<string, string>
    ports?: ServicePort[]
    publishNotReadyAddresses?: boolean
    sessionAffinity: 'None' | 'ClientIP'
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } }
    internalTrafficPolicy?: 'Cluster' | 'Local'
    externalTrafficPolicy?: 'Cluster' | 'Local'
  }
  status?: unknown
}

export interface Endpoint {
  addresses: string[]
  conditions: { ready?: boolean; serving?: boolean; terminating?: boolean }
  nodeName?: string
  zone?: string
  hostname?: string
  targetRef?: ObjectReference
}

export interface EndpointSlice extends KubeObject {
  kind: 'EndpointSlice'
  addressType: 'IPv4' | 'IPv6' | 'FQDN'
  endpoints: Endpoint[]
  ports: { name?: string; port?: number; protocol?: string; appProtocol?: string }[]
}

export interface Lease extends KubeObject {
  kind: 'Lease'
  spec: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string; acquireTime?: string }
}

export interface KubeEvent extends KubeObject {
  kind: 'Event'
  involvedObject: ObjectReference
  type: 'Normal' | 'Warning'
  reason: string
  message: string
  count?: number
  firstTimestamp?: string
  lastTimestamp?: string
  source?: { component?: string; host?: string }
  reportingComponent?: string
}

export interface PriorityClass extends KubeObject {
  kind: 'PriorityClass'
  value: number
  globalDefault?: boolean
  preemptionPolicy?: 'Never' | 'PreemptLowerPriority'
}

/** Any other kind: Namespace, ConfigMap, Secret, custom resources. */
export interface OtherObject extends KubeObject {
  spec?: unknown
  status?: unknown
  [field: string]: unknown
}
