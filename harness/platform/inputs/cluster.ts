import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import type { NodeGroup } from '../../../sandbox/tiers/tier.ts'
import type { Platform, PlatformObject } from '../platform.ts'
import { cpuMilliOf, gpusOf, memoryBytesOf } from '../roles/gpu-requests.ts'
import { podTemplatesOf, type WrittenPodSpec } from '../roles/pod-templates.ts'

/** What a pod needs of a node. */
interface Need {
  readonly gpus: number
  readonly cpuMilli: number
  readonly memoryBytes: number
}

interface Workload {
  readonly need: Need
  readonly replicas: number
  readonly labels: Readonly<Record<string, string>>
  readonly weightsBytes: number | undefined
}

export interface ClusterGuess {
  /** The fewest nodes on which all workloads fit. */
  readonly tight: readonly NodeGroup[]
  /** The same with one node more in each group. */
  readonly spare: readonly NodeGroup[]
}

const GI = 2 ** 30
/** What clouds sell around a GPU, and left over by the system: cores and memory per GPU, and of a node without one. */
const PER_GPU = { cpuMilli: 16_000, memoryBytes: 128 * GI }
const PLAIN = { cpuMilli: 16_000, memoryBytes: 64 * GI }
/** GPUs a guess chooses from, the smallest first. */
const USUAL = ['l4', 'l40s', 'h100-sxm', 'h200-sxm', 'b200']

/**
 * The smallest cluster for a platform that does not say on which nodes it runs. Workloads with the same node selector share a group; a node has
 * 1, 2, 4 or 8 GPUs, as many as its largest pod; the product is the one selected, or the smallest usual one whose memory holds the weights.
 */
export function guessCluster(
  platform: Platform,
  gpus: readonly GpuSpec[],
  weightsBytes: (object: PlatformObject) => number | undefined,
): ClusterGuess {
  const groups = new Map<string, Workload[]>()
  const everywhere: Need[] = []
  for (const object of platform.objects) {
    for (const template of podTemplatesOf(object)) {
      const need = needOf(template.spec)
      if (object.manifest.kind === 'DaemonSet') {
        everywhere.push(need)
        continue
      }
      const workload = {
        need,
        replicas: template.replicas,
        labels: requiredLabels(template.spec),
        weightsBytes: weightsBytes(object),
      }
      const key = JSON.stringify([need.gpus > 0, Object.entries(workload.labels).sort()])
      groups.set(key, [...(groups.get(key) ?? []), workload])
    }
  }
  const tight = [...groups.values()].map((workloads, i) => groupFor(workloads, everywhere, gpus, i))
  return { tight, spare: tight.map((group) => ({ ...group, count: group.count + 1 })) }
}

function groupFor(
  workloads: readonly Workload[],
  everywhere: readonly Need[],
  gpus: readonly GpuSpec[],
  index: number,
): NodeGroup {
  const pods = workloads.flatMap(({ need, replicas }) => Array.from({ length: Math.min(replicas, 5000) }, () => need))
  const gpuCount = roundUp(Math.max(0, ...pods.map((pod) => pod.gpus), ...workloads.map((w) => w.need.gpus)))
  const node: Need = {
    gpus: gpuCount,
    cpuMilli:
      Math.max(gpuCount > 0 ? gpuCount * PER_GPU.cpuMilli : PLAIN.cpuMilli, ...pods.map((pod) => pod.cpuMilli)) +
      sum(everywhere, 'cpuMilli'),
    memoryBytes:
      Math.max(
        gpuCount > 0 ? gpuCount * PER_GPU.memoryBytes : PLAIN.memoryBytes,
        ...pods.map((pod) => pod.memoryBytes),
      ) + sum(everywhere, 'memoryBytes'),
  }
  const free = {
    gpus: node.gpus,
    cpuMilli: node.cpuMilli - sum(everywhere, 'cpuMilli'),
    memoryBytes: node.memoryBytes - sum(everywhere, 'memoryBytes'),
  }
  const labels = workloads[0]!.labels
  const product = gpuCount > 0 ? productFor(workloads, gpus, labels) : undefined
  const name = product ? product.id : 'cpu'
  return {
    name: index === 0 ? name : `${name}-${index + 1}`,
    count: Math.max(1, nodesFor(pods, free)),
    cpu: `${node.cpuMilli}m`,
    memory: String(node.memoryBytes),
    ...(product ? { gpu: { product: product.product, memoryBytes: product.memoryBytes, count: gpuCount } } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  }
}

/** First fit, largest pods first. */
function nodesFor(pods: readonly Need[], free: Need): number {
  const nodes: { gpus: number; cpuMilli: number; memoryBytes: number }[] = []
  const order = [...pods].sort((a, b) => b.gpus - a.gpus || b.memoryBytes - a.memoryBytes || b.cpuMilli - a.cpuMilli)
  for (const pod of order) {
    let node = nodes.find(
      (one) => one.gpus >= pod.gpus && one.cpuMilli >= pod.cpuMilli && one.memoryBytes >= pod.memoryBytes,
    )
    if (!node) {
      node = { ...free }
      nodes.push(node)
    }
    node.gpus -= pod.gpus
    node.cpuMilli -= pod.cpuMilli
    node.memoryBytes -= pod.memoryBytes
  }
  return nodes.length
}

function productFor(
  workloads: readonly Workload[],
  gpus: readonly GpuSpec[],
  labels: Readonly<Record<string, string>>,
): GpuSpec {
  const selected = gpus.find((gpu) => gpu.product === labels['nvidia.com/gpu.product'])
  if (selected) return selected
  const perGpu = Math.max(0, ...workloads.map((w) => (w.weightsBytes ?? 0) / Math.max(1, w.need.gpus)))
  const usual = USUAL.flatMap((id) => gpus.find((gpu) => gpu.id === id) ?? [])
  const known = workloads.some((w) => w.weightsBytes !== undefined)
  const fits = known
    ? usual.find((gpu) => gpu.memoryBytes * 0.9 >= perGpu * 1.25)
    : usual.find((gpu) => gpu.id === 'h100-sxm')
  return fits ?? usual.at(-1) ?? gpus[0]!
}

/** Labels a node must have for the pod: its node selector, and the first value of each required node affinity. */
function requiredLabels(spec: WrittenPodSpec): Record<string, string> {
  const labels: Record<string, string> = { ...spec.nodeSelector }
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  for (const { key, operator, values } of terms?.[0]?.matchExpressions ?? []) {
    if (operator === 'In' && values?.[0] !== undefined) labels[key] ??= values[0]
    if (operator === 'Exists') labels[key] ??= 'true'
  }
  return labels
}

const needOf = (spec: WrittenPodSpec): Need => ({
  gpus: gpusOf(spec),
  cpuMilli: cpuMilliOf(spec),
  memoryBytes: memoryBytesOf(spec),
})

const sum = (needs: readonly Need[], field: keyof Need): number => needs.reduce((total, need) => total + need[field], 0)

/** To a number of GPUs that nodes are sold with; beyond 8 as it is. */
const roundUp = (gpus: number): number => (gpus === 0 ? 0 : ([1, 2, 4, 8].find((size) => size >= gpus) ?? gpus))
