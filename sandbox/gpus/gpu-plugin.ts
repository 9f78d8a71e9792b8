import type { RandomStream } from '../world/random.ts'

/** The GPUs of a node, as its platform declares them. */
export interface NodeGpus {
  /** As GPU feature discovery names it: `NVIDIA-H100-80GB-HBM3`. */
  readonly product: string
  readonly memoryBytes: number
  readonly count: number
}

export const GPU = 'nvidia.com/gpu'

/** `GPU-` and a version-4 UUID, as nvidia-smi lists devices. */
export function gpuId(random: RandomStream): string {
  const hex = (digits: number) => Array.from({ length: digits }, () => random.int(16).toString(16)).join('')
  return `GPU-${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[random.int(4)]}${hex(3)}-${hex(12)}`
}

/** Labels GPU feature discovery puts on a node with GPUs of one kind, whole and unshared. */
export function gpuLabels({ product, memoryBytes, count }: NodeGpus): Record<string, string> {
  return {
    'nvidia.com/gpu.present': 'true',
    'nvidia.com/gpu.product': product,
    'nvidia.com/gpu.count': String(count),
    'nvidia.com/gpu.memory': String(Math.floor(memoryBytes / 2 ** 20)),
    'nvidia.com/gpu.replicas': '1',
    'nvidia.com/gpu.sharing-strategy': 'none',
    'nvidia.com/mig.strategy': 'single',
    'nvidia.com/mig.capable': /A100|H100|H200|B200|A30/.test(product) ? 'true' : 'false',
  }
}
