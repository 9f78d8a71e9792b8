import { AsciiText, DASH, HEX_CODES } from '../world/ascii.ts'
import type { RandomStream } from '../world/random.ts'

/** The GPUs of a node, as its platform declares them. */
export interface NodeGpus {
  /** As GPU feature discovery names it: `NVIDIA-H100-80GB-HBM3`. */
  readonly product: string
  readonly memoryBytes: number
  readonly count: number
}

export const GPU = 'nvidia.com/gpu'

const PREFIX = [...'GPU-'].map((letter) => letter.charCodeAt(0))
const VARIANTS = [...'89ab'].map((digit) => digit.charCodeAt(0))
const text = new AsciiText(PREFIX.length + 36)

/** `GPU-` and a version-4 UUID, as nvidia-smi lists devices. */
export function gpuId(random: RandomStream): string {
  const hex = (digits: number) => {
    for (let i = 0; i < digits; i++) text.hex(random.int(16), 1)
    return text
  }
  text.clear()
  for (const code of PREFIX) text.put(code)
  hex(8).put(DASH)
  hex(4).put(DASH).put(HEX_CODES[4]!)
  hex(3).put(DASH).put(VARIANTS[random.int(4)]!)
  hex(3).put(DASH)
  return hex(12).toString()
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
