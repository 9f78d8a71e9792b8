import type { ProvisioningDelays } from '../autoscaling/nodes/machines.ts'

/** What adds and removes nodes of a cluster. Plain values. */
export interface NodeAutoscalerOptions {
  readonly kind: 'cluster-autoscaler'
  /** Groups of nodes that may grow and shrink; the others stay as they are. */
  readonly groups: readonly { readonly name: string; readonly min: number; readonly max: number }[]
  readonly delays: ProvisioningDelays
}
