import type { KubeObject } from './meta.ts'

// KEDA's kinds: keda.sh/v1alpha1, as of KEDA 2.21.

export interface ScaledObject extends KubeObject {
  kind: 'ScaledObject'
  spec: ScaledObjectSpec
  status?: ScaledObjectStatus
}

export interface ScaledObjectSpec {
  scaleTargetRef: { name: string; apiVersion?: string; kind?: string; envSourceContainerName?: string }
  /** Seconds between two looks at the triggers; 30 where it is not given. */
  pollingInterval?: number
  /** Seconds after creation before an object that never was active may go to zero; 0 where it is not given. */
  initialCooldownPeriod?: number
  /** Seconds after the last activity before the target goes to zero or idle; 300 where it is not given. */
  cooldownPeriod?: number
  idleReplicaCount?: number
  minReplicaCount?: number
  maxReplicaCount?: number
  advanced?: {
    horizontalPodAutoscalerConfig?: { behavior?: HpaBehavior; name?: string }
    restoreToOriginalReplicaCount?: boolean
    scalingModifiers?: ScalingModifiers
  }
  triggers: ScaleTrigger[]
  fallback?: ScaledObjectFallback
}

/** `spec.behavior` of an autoscaling/v2 HorizontalPodAutoscaler, passed on as it is. */
export interface HpaBehavior {
  scaleUp?: HpaScalingRules
  scaleDown?: HpaScalingRules
}

export interface HpaScalingRules {
  stabilizationWindowSeconds?: number
  selectPolicy?: 'Max' | 'Min' | 'Disabled'
  policies?: { type: 'Pods' | 'Percent'; value: number; periodSeconds: number }[]
  tolerance?: string
}

export interface ScalingModifiers {
  formula?: string
  target?: string
  activationTarget?: string
  metricType?: 'AverageValue' | 'Value' | 'Utilization'
}

export interface ScaleTrigger {
  type: string
  name?: string
  useCachedMetrics?: boolean
  metadata: Record<string, string>
  authenticationRef?: { name: string; kind?: 'TriggerAuthentication' | 'ClusterTriggerAuthentication' }
  metricType?: 'AverageValue' | 'Value' | 'Utilization'
}

export interface ScaledObjectFallback {
  failureThreshold: number
  replicas: number
  behavior?: 'static' | 'currentReplicas' | 'currentReplicasIfHigher' | 'currentReplicasIfLower' | 'scalingModifiers'
}

export interface KedaCondition {
  type: 'Ready' | 'Active' | 'Fallback' | 'Paused' | 'HPAActive'
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
}

export interface KedaHealth {
  numberOfFailures?: number
  status?: 'Happy' | 'Failing'
}

export interface ScaledObjectStatus {
  /** `apps/v1.Deployment`. */
  scaleTargetKind?: string
  scaleTargetGVKR?: { group: string; version: string; kind: string; resource: string }
  originalReplicaCount?: number
  lastActiveTime?: string
  externalMetricNames?: string[]
  resourceMetricNames?: string[]
  compositeScalerName?: string
  conditions?: KedaCondition[]
  health?: Record<string, KedaHealth>
  triggersActivity?: Record<string, { isActive: boolean }>
  pausedReplicaCount?: number
  hpaName?: string
  triggersTypes?: string
  authenticationsTypes?: string
}

export interface TriggerAuthentication extends KubeObject {
  kind: 'TriggerAuthentication' | 'ClusterTriggerAuthentication'
  spec: {
    podIdentity?: { provider?: string }
    secretTargetRef?: { parameter: string; name: string; key: string }[]
    env?: { parameter: string; name: string; containerName?: string }[]
  }
  status?: { scaledobjects?: string; scaledjobs?: string }
}
