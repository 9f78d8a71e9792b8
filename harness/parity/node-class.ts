import { createHash } from 'node:crypto'
import { canonical } from '../../sandbox/journal/record.ts'
import type * as o from '../../sandbox/kube/objects.ts'

const HOSTNAME = 'kubernetes.io/hostname'
/** Taints that come and go with a node's state and are no part of what it is. */
const OF_STATE =
  /^(node\.kubernetes\.io\/|karpenter\.sh\/|ToBeDeletedByClusterAutoscaler|DeletionCandidateOfClusterAutoscaler)/
const DIGITS = 4

/**
 * What nodes are alike by, for a scheduler: labels but for the host's name, taints they were made with, capacity. The text names GPUs,
 * instance type and zone; the digits after it stand for all the rest.
 */
export function nodeClass({ metadata, spec, status }: o.Node): string {
  const { [HOSTNAME]: _, ...labels } = metadata.labels ?? {}
  const taints = (spec.taints ?? [])
    .filter(({ key }) => !OF_STATE.test(key))
    .map(({ key, value, effect }) => ({ key, value, effect }))
  const { cpu, memory } = status.capacity ?? {}
  const all = { labels, taints, cpu, memory }
  const digits = createHash('sha256').update(canonical(all)).digest('hex').slice(0, DIGITS)
  return `${[gpusOf(labels) ?? `${cpu} CPUs`, labels['node.kubernetes.io/instance-type'], labels['topology.kubernetes.io/zone']].filter(Boolean).join(' ')} #${digits}`
}

function gpusOf(labels: Readonly<Record<string, string>>): string | undefined {
  const product = labels['nvidia.com/gpu.product']
  return product && `${labels['nvidia.com/gpu.count'] ?? '?'}×${product.replace('NVIDIA-', '')}`
}
