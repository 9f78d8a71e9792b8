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
  /** The same as `tight`, with the usual card where a larger one was guessed. */
  readonly usual: readonly NodeGroup[]
  /** Which GPU each group has and why, where there are GPUs: `GPU guessed: l4, the smallest …`. */
  readonly gpus: readonly string[]
}

/** The GPU of a group, and why it has that. */
interface GuessedGpu {
  readonly gpu: GpuSpec
  readonly why: string
  /** The card most clusters have, where the guess had to go beyond it. */
  readonly usual?: GpuSpec
}

const GI = 2 ** 30
/** What clouds sell around a GPU, and left over by the system: cores and memory per GPU, and of a node without one. */
const PER_GPU = { cpuMilli: 16_000, memoryBytes: 128 * GI }
const PLAIN = { cpuMilli: 16_000, memoryBytes: 64 * GI }
/** GPUs a guess chooses from, the smallest first. */
const CARDS = ['l4', 'l40s', 'h100-sxm', 'h200-sxm', 'b200']
/** The 80 GB card most clusters have: whether there is a larger one cannot be told from manifests. */
const USUAL = 'h100-sxm'

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
  return {
    tight: tight.map(({ group }) => group),
    spare: tight.map(({ group }) => ({ ...group, count: group.count + 1 })),
    usual: tight.map(({ group, guessed }) => withUsual(group, guessed)),
    gpus: [...new Set(tight.flatMap(({ guessed }) => guessed?.why ?? []))],
  }
}

function groupFor(
  workloads: readonly Workload[],
  everywhere: readonly Need[],
  gpus: readonly GpuSpec[],
  index: number,
): { group: NodeGroup; guessed: GuessedGpu | undefined } {
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
  const guessed = gpuCount > 0 ? productFor(workloads, gpus, labels) : undefined
  const name = guessed ? guessed.gpu.id : 'cpu'
  const group: NodeGroup = {
    name: index === 0 ? name : `${name}-${index + 1}`,
    count: Math.max(1, nodesFor(pods, free)),
    cpu: `${node.cpuMilli}m`,
    memory: String(node.memoryBytes),
    ...(guessed ? { gpu: { ...cardOf(guessed.gpu), count: gpuCount } } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  }
  return { group, guessed }
}

const cardOf = ({ product, memoryBytes }: GpuSpec) => ({ product, memoryBytes })

function withUsual(group: NodeGroup, guessed: GuessedGpu | undefined): NodeGroup {
  if (!group.gpu || !guessed?.usual) return group
  const name = `${guessed.usual.id}${group.name.slice(guessed.gpu.id.length)}`
  return { ...group, name, gpu: { ...group.gpu, ...cardOf(guessed.usual) } }
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
): GuessedGpu {
  const selected = gpus.find((gpu) => gpu.product === labels['nvidia.com/gpu.product'])
  if (selected) return { gpu: selected, why: `GPU: ${selected.product}, which the pods select` }
  const cards = CARDS.flatMap((id) => gpus.find((gpu) => gpu.id === id) ?? [])
  const usual = cards.find((gpu) => gpu.id === USUAL)
  const largest = largestShare(workloads)
  if (!largest) {
    const gpu = usual ?? cards.at(-1) ?? gpus[0]!
    return { gpu, why: `GPU guessed: ${gpu.id}, a usual one, as the size of the weights is not known` }
  }
  const gpu =
    cards.find((card) => card.memoryBytes * 0.9 >= largest.bytesPerGpu * 1.25) ?? cards.at(-1) ?? usual ?? gpus[0]!
  if (usual && gpu.memoryBytes > usual.memoryBytes)
    return { gpu, usual, why: `GPU guessed: ${gpu.id}, as ${largest.text} do not fit the usual ${usual.id}` }
  return { gpu, why: `GPU guessed: ${gpu.id}, the smallest usual one that holds ${largest.text}` }
}

/** The workload with the most bytes of weights on each of its GPUs, among those whose weights are known. */
function largestShare(workloads: readonly Workload[]): { bytesPerGpu: number; text: string } | undefined {
  const shares = workloads.flatMap(({ weightsBytes, need }) => {
    const count = Math.max(1, need.gpus)
    const text = `${Math.round((weightsBytes ?? 0) / 1e9)} GB of weights on ${count} GPU${count === 1 ? '' : 's'}`
    return weightsBytes === undefined ? [] : [{ bytesPerGpu: weightsBytes / count, text }]
  })
  return shares.sort((a, b) => b.bytesPerGpu - a.bytesPerGpu)[0]
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
