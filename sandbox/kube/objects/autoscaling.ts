import type { Condition, KubeObject, LabelSelector } from './meta.ts'

// What sets how many replicas there are. Follows k8s.io/api/autoscaling/v2/types.go.

export interface HorizontalPodAutoscaler extends KubeObject {
  kind: 'HorizontalPodAutoscaler'
  spec: {
    scaleTargetRef: CrossVersionObjectReference
    minReplicas: number
    maxReplicas: number
    metrics: MetricSpec[]
    behavior?: { scaleUp: ScalingRules; scaleDown: ScalingRules }
  }
  status: {
    observedGeneration?: number
    lastScaleTime?: string
    /** Left out when 0. */
    currentReplicas?: number
    desiredReplicas: number
    /** In the order of the spec's metrics; one that failed has an empty `type`. */
    currentMetrics?: MetricStatus[]
    conditions?: Condition[]
  }
}

export interface CrossVersionObjectReference {
  kind: string
  name: string
  apiVersion?: string
}

export interface MetricSpec {
  type: 'Resource' | 'ContainerResource' | 'Pods' | 'Object' | 'External'
  resource?: { name: string; target: MetricTarget }
  containerResource?: { name: string; container: string; target: MetricTarget }
  pods?: { metric: MetricIdentifier; target: MetricTarget }
  object?: { describedObject: CrossVersionObjectReference; metric: MetricIdentifier; target: MetricTarget }
  external?: { metric: MetricIdentifier; target: MetricTarget }
}

export interface MetricIdentifier {
  name: string
  selector?: LabelSelector
}

/** `value` and `averageValue` are quantities, `averageUtilization` is in percent of the request. */
export interface MetricTarget {
  type: 'Utilization' | 'Value' | 'AverageValue'
  value?: string
  averageValue?: string
  averageUtilization?: number
}

export interface MetricStatus {
  type: MetricSpec['type'] | ''
  resource?: { name: string; current: MetricValueStatus }
  containerResource?: { name: string; container: string; current: MetricValueStatus }
  pods?: { metric: MetricIdentifier; current: MetricValueStatus }
  object?: { describedObject: CrossVersionObjectReference; metric: MetricIdentifier; current: MetricValueStatus }
  external?: { metric: MetricIdentifier; current: MetricValueStatus }
}

export type MetricValueStatus = Omit<MetricTarget, 'type'>

export interface ScalingRules {
  /** Absent on scale-down: the controller's own window. */
  stabilizationWindowSeconds?: number
  selectPolicy: 'Max' | 'Min' | 'Disabled'
  policies: ScalingPolicy[]
  /** A quantity: by how much usage may differ from the target. Absent: the controller's own. */
  tolerance?: string
}

export interface ScalingPolicy {
  type: 'Pods' | 'Percent'
  value: number
  periodSeconds: number
}

/** The `scale` subresource of what has replicas. `selector` is text, as `kubectl -l` takes it; absent where there is none. */
export interface Scale extends KubeObject {
  apiVersion: 'autoscaling/v1'
  kind: 'Scale'
  spec: { replicas: number }
  status: { replicas: number; selector?: string }
}
