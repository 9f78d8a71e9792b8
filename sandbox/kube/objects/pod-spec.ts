import type { IntOrString, LabelSelector } from './meta.ts'

// What a pod is to run, and where.

export interface HttpGetAction {
  path?: string
  port: IntOrString
  host?: string
  scheme?: 'HTTP' | 'HTTPS'
  httpHeaders?: { name: string; value: string }[]
}

export interface ProbeHandler {
  httpGet?: HttpGetAction
  tcpSocket?: { port: IntOrString; host?: string }
  exec?: { command?: string[] }
  grpc?: { port: number; service?: string }
}

export interface Probe extends ProbeHandler {
  initialDelaySeconds?: number
  timeoutSeconds: number
  periodSeconds: number
  successThreshold: number
  failureThreshold: number
  terminationGracePeriodSeconds?: number
}

export interface LifecycleHandler {
  exec?: { command?: string[] }
  httpGet?: HttpGetAction
  tcpSocket?: { port: IntOrString; host?: string }
  sleep?: { seconds: number }
}

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: unknown
}

export interface Container {
  name: string
  image: string
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  command?: string[]
  args?: string[]
  workingDir?: string
  env?: EnvVar[]
  envFrom?: unknown[]
  ports?: { name?: string; containerPort: number; protocol: 'TCP' | 'UDP' | 'SCTP'; hostPort?: number }[]
  resources: { requests?: Record<string, string>; limits?: Record<string, string>; claims?: unknown[] }
  startupProbe?: Probe
  livenessProbe?: Probe
  readinessProbe?: Probe
  lifecycle?: { postStart?: LifecycleHandler; preStop?: LifecycleHandler; stopSignal?: string }
  /** On an init container, `Always` makes it a sidecar. */
  restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[]
  terminationMessagePath?: string
  terminationMessagePolicy?: string
  securityContext?: Record<string, unknown>
}

export interface Toleration {
  key?: string
  operator?: 'Exists' | 'Equal' | 'Lt' | 'Gt'
  value?: string
  effect?: '' | 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
  tolerationSeconds?: number
}

export interface NodeSelectorRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
  values?: string[]
}

export interface NodeSelectorTerm {
  matchExpressions?: NodeSelectorRequirement[]
  matchFields?: NodeSelectorRequirement[]
}

export interface PodAffinityTerm {
  labelSelector?: LabelSelector
  namespaces?: string[]
  namespaceSelector?: LabelSelector
  topologyKey: string
  matchLabelKeys?: string[]
  mismatchLabelKeys?: string[]
}

export interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] }
    preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; preference: NodeSelectorTerm }[]
  }
  podAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[]
    preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; podAffinityTerm: PodAffinityTerm }[]
  }
  podAntiAffinity?: Affinity['podAffinity']
}

export interface TopologySpreadConstraint {
  maxSkew: number
  topologyKey: string
  whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'
  labelSelector?: LabelSelector
  minDomains?: number
  nodeAffinityPolicy?: 'Honor' | 'Ignore'
  nodeTaintsPolicy?: 'Honor' | 'Ignore'
  matchLabelKeys?: string[]
}

export interface PodSpec {
  nodeName?: string
  schedulerName: string
  restartPolicy: 'Always' | 'OnFailure' | 'Never'
  terminationGracePeriodSeconds: number
  activeDeadlineSeconds?: number
  dnsPolicy?: string
  serviceAccountName?: string
  hostNetwork?: boolean
  shareProcessNamespace?: boolean
  hostname?: string
  subdomain?: string
  initContainers?: Container[]
  containers: Container[]
  nodeSelector?: Record<string, string>
  affinity?: Affinity
  tolerations?: Toleration[]
  topologySpreadConstraints?: TopologySpreadConstraint[]
  priority?: number
  priorityClassName?: string
  preemptionPolicy?: 'Never' | 'PreemptLowerPriority'
  overhead?: Record<string, string>
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
  resourceClaims?: unknown[]
  runtimeClassName?: string
  schedulingGates?: { name: string }[]
  readinessGates?: { conditionType: string }[]
  imagePullSecrets?: { name: string }[]
  volumes?: ({ name: string } & Record<string, unknown>)[]
  securityContext?: Record<string, unknown>
}
