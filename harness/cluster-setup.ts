import type { ProvisioningDelays } from '../sandbox/autoscaling/nodes/machines.ts'
import type { NodeGroup } from '../sandbox/tiers/tier.ts'
import type { Overrides } from './judgeable.ts'
import { delaysOf } from './platform/inputs/provisioning-inputs.ts'
import type { ResolvedInputs } from './platform/inputs/resolve.ts'
import type { Platform } from './platform/platform.ts'
import { nodePoolsOf } from './platform/roles/node-pools.ts'
import { schedulersOf } from './platform/roles/schedulers.ts'
import type { Setup } from './setup.ts'

interface ClusterSetup {
  readonly parts: Pick<Setup, 'nodeAutoscaler' | 'karpenter' | 'schedulers'>
  /** How long a machine that is bought takes to be of use; 0 where none is. */
  readonly joinUs: number
  /** What of it the journal's header tells. */
  readonly told: object
}

/** What of a cluster places pods and makes nodes for them. */
export function clusterSetup(
  platform: Platform,
  nodes: readonly NodeGroup[],
  { inputs, overrides }: { readonly inputs: ResolvedInputs; readonly overrides: Overrides },
): ClusterSetup {
  const schedulers = schedulersOf(platform)
  const placed = schedulers.declared ? { schedulers: schedulers.processes } : {}
  const delays = delaysOf(inputs.provisioning, overrides)
  const bought = boughtNodes(platform, delays)
  const { noCapacity } = bought.karpenter ?? {}
  return {
    parts: { ...growingNodes(nodes, delays), ...bought, ...placed },
    joinUs: bought.karpenter ? delays.register + delays.devicePlugin : 0,
    told: { ...(inputs.provisioning ? { delays } : {}), ...(noCapacity ? { noCapacity } : {}), ...placed },
  }
}

/** Groups with a `max` are what a Cluster Autoscaler may change. */
function growingNodes(nodes: readonly NodeGroup[], delays: ProvisioningDelays): Pick<Setup, 'nodeAutoscaler'> {
  const groups = nodes.flatMap(({ name, count, min = count, max }) => (max === undefined ? [] : [{ name, min, max }]))
  return groups.length === 0 ? {} : { nodeAutoscaler: { kind: 'cluster-autoscaler', groups, delays } }
}

/** Karpenter, where there are NodePools. */
function boughtNodes(platform: Platform, delays: ProvisioningDelays): Pick<Setup, 'karpenter'> {
  const { pools, catalogue } = nodePoolsOf(platform)
  const { noCapacity = [] } = platform.config?.provisioning ?? {}
  return pools.length === 0 ? {} : { karpenter: { catalogue, delays, noCapacity } }
}
