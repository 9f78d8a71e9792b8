import type { Taint } from './cluster.ts'
import type { Condition, KubeObject } from './meta.ts'

// Karpenter's kinds, as far as they are acted on. Follows sigs.k8s.io/karpenter/pkg/apis/v1.

export interface NodeRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt' | 'Gte' | 'Lte'
  values?: string[]
  /** How many different values of the key there must be to choose from. */
  minValues?: number
}

export interface NodeClaimSpec {
  requirements: NodeRequirement[]
  taints?: Taint[]
  startupTaints?: Taint[]
  nodeClassRef?: { group: string; kind: string; name: string }
  /** A duration, or `Never`. */
  expireAfter?: string
  terminationGracePeriod?: string
}

export interface DisruptionBudget {
  /** A number or a share: `10%`. */
  nodes: string
  reasons?: string[]
  schedule?: string
  duration?: string
}

export interface NodePool extends KubeObject {
  kind: 'NodePool'
  spec: {
    template: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
      spec: NodeClaimSpec
    }
    disruption?: {
      consolidationPolicy?: 'WhenEmpty' | 'WhenEmptyOrUnderutilized'
      /** A duration, or `Never`. */
      consolidateAfter?: string
      budgets?: DisruptionBudget[]
    }
    limits?: Record<string, string>
    weight?: number
  }
  status?: unknown
}

export interface NodeClaim extends KubeObject {
  kind: 'NodeClaim'
  spec: NodeClaimSpec
  status?: { nodeName?: string; providerID?: string; conditions?: Condition[] }
}
