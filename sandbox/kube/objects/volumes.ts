import type { Condition, KubeObject, LabelSelector, ObjectReference } from './meta.ts'
import type { NodeSelectorTerm } from './pod-spec.ts'

// Storage that outlives pods.

export type AccessMode = 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod'

export interface PersistentVolumeClaim extends KubeObject {
  kind: 'PersistentVolumeClaim'
  spec: {
    accessModes?: AccessMode[]
    resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
    selector?: LabelSelector
    /** The empty string asks for a volume without a class; undefined, for the cluster's default class. */
    storageClassName?: string
    volumeMode?: 'Filesystem' | 'Block'
    /** The volume it is bound to. */
    volumeName?: string
    dataSource?: unknown
    dataSourceRef?: unknown
  }
  status: {
    phase?: 'Pending' | 'Bound' | 'Lost'
    accessModes?: AccessMode[]
    capacity?: Record<string, string>
    conditions?: Condition[]
  }
}

export interface PersistentVolume extends KubeObject {
  kind: 'PersistentVolume'
  spec: {
    accessModes?: AccessMode[]
    capacity?: Record<string, string>
    claimRef?: ObjectReference & { resourceVersion?: string }
    storageClassName?: string
    volumeMode?: 'Filesystem' | 'Block'
    persistentVolumeReclaimPolicy?: 'Retain' | 'Delete' | 'Recycle'
    nodeAffinity?: { required?: { nodeSelectorTerms: NodeSelectorTerm[] } }
    csi?: { driver: string; volumeHandle: string; readOnly?: boolean }
    local?: { path: string }
    nfs?: { server: string; path: string; readOnly?: boolean }
    hostPath?: { path: string; type?: string }
  }
  status: { phase?: 'Pending' | 'Available' | 'Bound' | 'Released' | 'Failed'; message?: string; reason?: string }
}

export interface StorageClass extends KubeObject {
  kind: 'StorageClass'
  provisioner: string
  parameters?: Record<string, string>
  reclaimPolicy?: 'Retain' | 'Delete'
  volumeBindingMode?: 'Immediate' | 'WaitForFirstConsumer'
  allowVolumeExpansion?: boolean
  allowedTopologies?: { matchLabelExpressions?: { key: string; values: string[] }[] }[]
}

/** That a volume is, or is to be, attached to a node. */
export interface VolumeAttachment extends KubeObject {
  kind: 'VolumeAttachment'
  spec: { attacher: string; nodeName: string; source: { persistentVolumeName?: string } }
  status: { attached: boolean; attachError?: { message?: string; time?: string } }
}
