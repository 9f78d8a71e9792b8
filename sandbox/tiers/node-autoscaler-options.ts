import type { InstanceType } from '../autoscaling/nodes/karpenter/candidates.ts'
import type { ProvisioningDelays } from '../autoscaling/nodes/machines.ts'

/** Karpenter, for the NodePools of a cluster. Plain values. */
export interface KarpenterTierOptions {
  readonly catalogue: readonly InstanceType[]
  readonly delays: ProvisioningDelays
  /** What the cloud has none of: `type`, `type/zone` or `type/zone/capacity type`, where `*` stands for any. */
  readonly noCapacity: readonly string[]
}

/** What adds and removes nodes of a cluster. Plain values. */
export interface NodeAutoscalerOptions {
  readonly kind: 'cluster-autoscaler'
  /** Groups of nodes that may grow and shrink; the others stay as they are. */
  readonly groups: readonly { readonly name: string; readonly min: number; readonly max: number }[]
  readonly delays: ProvisioningDelays
}
