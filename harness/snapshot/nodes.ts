import { gpus } from '../../fixtures/gpus/index.ts'
import { parseQuantity, wholeValueOf } from '../../sandbox/kube/quantity.ts'
import type { ClusterObject } from './reader.ts'

/** Nodes of one shape, as `seatrial.yaml` describes them. */
export interface MeasuredNodes {
  readonly name: string
  readonly count: number
  readonly cpu: string
  readonly memory: string
  readonly gpu?: { readonly product: string; readonly count: number }
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
}

interface NodeObject extends ClusterObject {
  readonly spec?: { readonly taints?: readonly { key: string; value?: string; effect: string }[] }
  readonly status?: { readonly allocatable?: Readonly<Record<string, string>> }
}

/** Labels that say which node it is, or what a detector found on it. */
const OF_ONE_NODE =
  /^(kubernetes\.io\/hostname|.*instance-id|topology\.|failure-domain\.|feature\.node\.|beta\.kubernetes\.io\/|.*\/zone$|csi\.|.*machine-?config|nvidia\.com\/(?!gpu\.product$)|volumes\.)/
/** Taints that come and go with a node's condition. */
const OF_CONDITION = /^(node\.kubernetes\.io|node\.cloudprovider\.kubernetes\.io)\//
/** Labels node pools are called by. */
const POOLS = [
  'eks.amazonaws.com/nodegroup',
  'cloud.google.com/gke-nodepool',
  'kubernetes.azure.com/agentpool',
  'karpenter.sh/nodepool',
  'node.kubernetes.io/instance-type',
]

/** Groups the nodes by what they offer. A GPU the sandbox does not know is told, and its nodes are left out. */
export function measuredNodes(objects: readonly ClusterObject[]): { nodes: MeasuredNodes[]; notes: string[] } {
  const groups = Map.groupBy(objects as readonly NodeObject[], shapeOf)
  const nodes: MeasuredNodes[] = []
  const notes: string[] = []
  for (const members of groups.values()) {
    const first = members[0]!
    const product = first.metadata?.labels?.['nvidia.com/gpu.product']
    const count = gpuCountOf(first)
    const known = gpus.find((gpu) => gpu.product === product?.replace(/-(SHARED|MIG-.*)$/, ''))
    if (count > 0 && !known) {
      notes.push(
        `${members.length} nodes with GPUs the sandbox does not know (${product ?? 'no nvidia.com/gpu.product label'}) are left out`,
      )
      continue
    }
    nodes.push(groupOf(members, known && count > 0 ? { product: known.product, count } : undefined, nodes))
  }
  return { nodes, notes }
}

function groupOf(
  members: readonly NodeObject[],
  gpu: MeasuredNodes['gpu'],
  before: readonly MeasuredNodes[],
): MeasuredNodes {
  const labels = sharedLabels(members)
  const taints = taintsOf(members[0]!)
  const base = slug(POOLS.map((key) => labels[key]).find((value) => value !== undefined) ?? (gpu ? 'gpu' : 'cpu'))
  const same = before.filter(({ name }) => name === base || name.startsWith(`${base}-`)).length
  const memory = Math.min(...members.map((one) => gibOf(one)))
  return {
    name: same === 0 ? base : `${base}-${same + 1}`,
    count: members.length,
    cpu: members[0]!.status?.allocatable?.['cpu'] ?? '1',
    memory: `${memory}Gi`,
    ...(gpu ? { gpu } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(taints.length > 0 ? { taints } : {}),
  }
}

const shapeOf = (node: NodeObject): string =>
  JSON.stringify([
    POOLS.map((key) => node.metadata?.labels?.[key]),
    node.metadata?.labels?.['nvidia.com/gpu.product'],
    gpuCountOf(node),
    node.status?.allocatable?.['cpu'],
    gibOf(node),
    taintsOf(node),
  ])

const gpuCountOf = (node: NodeObject): number => Number(node.status?.allocatable?.['nvidia.com/gpu'] ?? 0)

const gibOf = (node: NodeObject): number =>
  Math.max(1, Math.floor(wholeValueOf(parseQuantity(node.status?.allocatable?.['memory'] ?? '1Gi')) / 2 ** 30))

function taintsOf({ spec }: NodeObject): NonNullable<MeasuredNodes['taints']> {
  return (spec?.taints ?? [])
    .filter(({ key }) => !OF_CONDITION.test(key))
    .map(({ key, value, effect }) => ({ key, ...(value ? { value } : {}), effect }))
}

/** What all nodes of a group are labelled with alike. */
function sharedLabels(members: readonly NodeObject[]): Record<string, string> {
  const [first, ...rest] = members.map(({ metadata }) => metadata?.labels ?? {})
  return Object.fromEntries(
    Object.entries(first ?? {})
      .filter(([key, value]) => !OF_ONE_NODE.test(key) && rest.every((labels) => labels[key] === value))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
