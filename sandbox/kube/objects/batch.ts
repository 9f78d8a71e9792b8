import type { Condition, KubeObject, LabelSelector } from './meta.ts'
import type { PodTemplateSpec } from './pod.ts'

// Work that ends.

export interface PodFailureRule {
  action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count'
  onExitCodes?: { containerName?: string; operator: 'In' | 'NotIn'; values: number[] }
  onPodConditions?: { type: string; status?: 'True' | 'False' | 'Unknown' }[]
}

export interface Job extends KubeObject {
  kind: 'Job'
  spec: {
    parallelism?: number
    completions?: number
    activeDeadlineSeconds?: number
    backoffLimit?: number
    backoffLimitPerIndex?: number
    maxFailedIndexes?: number
    podFailurePolicy?: { rules: PodFailureRule[] }
    successPolicy?: { rules: { succeededIndexes?: string; succeededCount?: number }[] }
    selector: LabelSelector
    manualSelector?: boolean
    template: PodTemplateSpec
    ttlSecondsAfterFinished?: number
    completionMode?: 'NonIndexed' | 'Indexed'
    suspend?: boolean
    podReplacementPolicy?: 'TerminatingOrFailed' | 'Failed'
    managedBy?: string
  }
  status: {
    conditions?: Condition[]
    startTime?: string
    completionTime?: string
    active?: number
    succeeded?: number
    failed?: number
    terminating?: number
    ready?: number
    completedIndexes?: string
    failedIndexes?: string
    /** Pods that ended and are not counted yet: their finalizers are still there. */
    uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] }
  }
}
