import type { Condition, IntOrString, KubeObject, LabelSelector } from './meta.ts'
import type { PodTemplateSpec } from './pod.ts'
import type { PersistentVolumeClaim } from './volumes.ts'

// What makes pods.

export interface ReplicaSet extends KubeObject {
  kind: 'ReplicaSet'
  spec: { replicas: number; minReadySeconds?: number; selector: LabelSelector; template: PodTemplateSpec }
  status: {
    replicas: number
    fullyLabeledReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    terminatingReplicas?: number
    observedGeneration?: number
    conditions?: Condition[]
  }
}

export interface Deployment extends KubeObject {
  kind: 'Deployment'
  spec: {
    replicas: number
    selector: LabelSelector
    template: PodTemplateSpec
    strategy: {
      type: 'RollingUpdate' | 'Recreate'
      rollingUpdate?: { maxSurge: IntOrString; maxUnavailable: IntOrString }
    }
    minReadySeconds?: number
    revisionHistoryLimit: number
    paused?: boolean
    progressDeadlineSeconds: number
  }
  status: {
    observedGeneration?: number
    replicas?: number
    updatedReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    unavailableReplicas?: number
    terminatingReplicas?: number
    collisionCount?: number
    conditions?: Condition[]
  }
}

export interface StatefulSet extends KubeObject {
  kind: 'StatefulSet'
  spec: {
    replicas: number
    selector: LabelSelector
    template: PodTemplateSpec
    serviceName?: string
    podManagementPolicy: 'OrderedReady' | 'Parallel'
    updateStrategy: {
      type: 'RollingUpdate' | 'OnDelete'
      /** `maxUnavailable` counts only where the gate MaxUnavailableStatefulSet is on: off by default in 1.36. */
      rollingUpdate?: { partition: number; maxUnavailable?: IntOrString }
    }
    volumeClaimTemplates?: ClaimTemplate[]
    revisionHistoryLimit: number
    minReadySeconds?: number
    persistentVolumeClaimRetentionPolicy?: { whenDeleted: 'Retain' | 'Delete'; whenScaled: 'Retain' | 'Delete' }
    ordinals?: { start: number }
  }
  status: {
    observedGeneration?: number
    replicas: number
    readyReplicas?: number
    currentReplicas?: number
    updatedReplicas?: number
    currentRevision?: string
    updateRevision?: string
    collisionCount?: number
    availableReplicas: number
    conditions?: Condition[]
  }
}

/** A claim as a StatefulSet or an ephemeral volume describes it. */
export interface ClaimTemplate {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PersistentVolumeClaim['spec']
}

export interface DaemonSet extends KubeObject {
  kind: 'DaemonSet'
  spec: {
    selector: LabelSelector
    template: PodTemplateSpec
    updateStrategy: {
      type: 'RollingUpdate' | 'OnDelete'
      rollingUpdate?: { maxUnavailable: IntOrString; maxSurge: IntOrString }
    }
    minReadySeconds?: number
    revisionHistoryLimit: number
  }
  status: {
    currentNumberScheduled: number
    numberMisscheduled: number
    desiredNumberScheduled: number
    numberReady: number
    observedGeneration?: number
    updatedNumberScheduled?: number
    numberAvailable?: number
    numberUnavailable?: number
    collisionCount?: number
    conditions?: Condition[]
  }
}

/** One version of a StatefulSet's or DaemonSet's template. */
export interface ControllerRevision extends KubeObject {
  kind: 'ControllerRevision'
  data: { spec: { template: PodTemplateSpec & { $patch: 'replace' } } }
  revision: number
}
