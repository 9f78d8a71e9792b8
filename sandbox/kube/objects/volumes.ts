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
    volumeAttributesClassName?: string
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
    volumeAttributesClassName?: string
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

/** Which drivers a node has, and how many volumes of each it takes at most. */
export interface CSINode extends KubeObject {
  kind: 'CSINode'
  spec: { drivers?: { name: string; nodeID: string; topologyKeys?: string[]; allocatable?: { count?: number } }[] }
}

export interface CSIDriver extends KubeObject {
  kind: 'CSIDriver'
  /** `storageCapacity`: the scheduler looks whether there is room for a new volume. */
  spec: { attachRequired?: boolean; podInfoOnMount?: boolean; storageCapacity?: boolean }
}

/** How much of a class there is still to be had on the nodes that `nodeTopology` selects. */
export interface CSIStorageCapacity extends KubeObject {
  kind: 'CSIStorageCapacity'
  storageClassName: string
  nodeTopology?: LabelSelector
  capacity?: string
  maximumVolumeSize?: string
}
