import { accepts, type Candidate } from '../../../sandbox/autoscaling/nodes/karpenter/candidates.ts'
import type { Pod } from '../../../sandbox/kube/objects.ts'
import { factsOf } from '../../../sandbox/scheduler/framework/pod-info.ts'
import type { NodeGroup } from '../../../sandbox/tiers/tier.ts'
import type { Platform } from '../platform.ts'
import { cpuMilliOf, gpusOf, memoryBytesOf } from '../roles/gpu-requests.ts'
import { type FoundPool, nodePoolsOf } from '../roles/node-pools.ts'
import { podTemplatesOf, type WrittenPodSpec } from '../roles/pod-templates.ts'

/** The nodes Karpenter and what belongs to the cluster run on, where none are given. */
const SYSTEM: NodeGroup = { name: 'system', count: 2, cpu: '8', memory: '32Gi' }

export const SYSTEM_NOTE =
  'NodePools: 2 nodes of 8 cores for Karpenter itself, all others are bought: give nodes in seatrial.yaml'

/** The nodes there are at the start, and of each sort that Karpenter would buy for a workload, none yet. Empty without NodePools. */
export function poolGroups(platform: Platform, given: readonly NodeGroup[] = [SYSTEM]): readonly NodeGroup[] {
  const { pools } = nodePoolsOf(platform)
  if (pools.length === 0) return []
  const groups = new Map<string, NodeGroup>()
  for (const object of platform.objects)
    for (const { spec } of object.manifest.kind === 'DaemonSet' ? [] : podTemplatesOf(object)) {
      const found = boughtFor(spec, pools)
      if (!found) continue
      const { pool, candidate } = found
      const key = `${pool.pool.metadata.name}/${candidate.type}`
      if (!groups.has(key)) groups.set(key, groupOf(found, groups.size === 0))
    }
  return [...given, ...groups.values()]
}

/** What is bought first for a pod like this: the cheapest that fits, of the pool with the greatest weight. */
export function boughtFor(
  spec: WrittenPodSpec,
  pools: readonly FoundPool[],
): { readonly pool: FoundPool; readonly candidate: Candidate } | undefined {
  const pod = { spec: { ...spec, containers: [] } } as unknown as Pod
  const facts = factsOf({ ...pod.spec, containers: [] })
  const [gpus, cpuMilli, memoryBytes] = [gpusOf(spec), cpuMilliOf(spec), memoryBytesOf(spec)]
  for (const pool of pools) {
    const candidate = pool.candidates.find(
      (one) =>
        (one.shape.gpu?.count ?? 0) >= gpus &&
        one.allocatable.milliCpu >= cpuMilli &&
        one.allocatable.memoryBytes >= memoryBytes &&
        accepts(one, pod, facts, pool.pool.spec.template.spec.taints),
    )
    if (candidate) return { pool, candidate }
  }
  return undefined
}

function groupOf({ pool, candidate }: NonNullable<ReturnType<typeof boughtFor>>, first: boolean): NodeGroup {
  const { cpu, memory, gpu, taints } = candidate.shape
  const { name } = pool.pool.metadata
  const { 'kubernetes.io/hostname': _, ...labels } = candidate.labels
  return {
    name: first ? `pool-${name}` : `pool-${name}-${candidate.type.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase()}`,
    nodePool: name,
    count: 0,
    cpu,
    memory,
    labels,
    ...(gpu ? { gpu } : {}),
    ...(taints?.length ? { taints: taints as NonNullable<NodeGroup['taints']> } : {}),
  }
}
