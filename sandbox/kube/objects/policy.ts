import type { Condition, IntOrString, KubeObject, LabelSelector } from './meta.ts'

// What limits disruption and use.

export interface PodDisruptionBudget extends KubeObject {
  kind: 'PodDisruptionBudget'
  spec: {
    minAvailable?: IntOrString
    maxUnavailable?: IntOrString
    selector?: LabelSelector
    unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow'
  }
  status: {
    currentHealthy: number
    desiredHealthy: number
    disruptionsAllowed: number
    expectedPods: number
    observedGeneration?: number
    /** When the eviction of each pod was let through, by pod name, until it is seen to be deleted. */
    disruptedPods?: Record<string, string>
    conditions?: Condition[]
  }
}

export type QuotaScope =
  | 'Terminating'
  | 'NotTerminating'
  | 'BestEffort'
  | 'NotBestEffort'
  | 'PriorityClass'
  | 'CrossNamespacePodAffinity'
  | 'VolumeAttributesClass'

export interface ScopeRequirement {
  scopeName: QuotaScope
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values?: string[]
}

export interface ResourceQuota extends KubeObject {
  kind: 'ResourceQuota'
  spec: {
    hard?: Record<string, string>
    scopes?: QuotaScope[]
    scopeSelector?: { matchExpressions?: ScopeRequirement[] }
  }
  status: { hard?: Record<string, string>; used?: Record<string, string> }
}

export interface LimitRangeItem {
  type: 'Pod' | 'Container' | 'PersistentVolumeClaim'
  max?: Record<string, string>
  min?: Record<string, string>
  default?: Record<string, string>
  defaultRequest?: Record<string, string>
  maxLimitRequestRatio?: Record<string, string>
}

export interface LimitRange extends KubeObject {
  kind: 'LimitRange'
  spec: { limits: LimitRangeItem[] }
}
