import { parseImage } from '../../../sandbox/vllm/flags/image.ts'

/** A family of container images and how many bytes a node pulls for one. */
interface ImageFamily {
  readonly name: string
  readonly pattern: RegExp
  readonly bytes: number
  readonly range: readonly [number, number]
}

/** Compressed sizes of what registries list for these families, rounded; the ranges span their releases. */
const FAMILIES: readonly ImageFamily[] = [
  { name: 'vLLM', pattern: /vllm|llm-d|lmcache/, bytes: 9.2e9, range: [4.5e9, 13e9] },
  {
    name: 'CUDA or PyTorch',
    pattern: /(^|\/)(cuda|pytorch|tritonserver|text-generation-inference|sglang|nim)\b/,
    bytes: 6e9,
    range: [2e9, 12e9],
  },
  { name: 'Python', pattern: /(^|\/)python\b/, bytes: 0.35e9, range: [0.05e9, 0.4e9] },
  {
    name: 'base image or proxy',
    pattern: /(^|\/)(busybox|alpine|nginx|envoy|haproxy|curl|pause|redis|ubuntu|debian)\b/,
    bytes: 0.06e9,
    range: [0.002e9, 0.2e9],
  },
]

const ANY: ImageFamily = { name: 'unknown', pattern: /./, bytes: 0.5e9, range: [0.02e9, 5e9] }

/** What an image of this name is likely to weigh. */
export function imageFamily(image: string): { name: string; bytes: number; range: readonly [number, number] } {
  const { repository } = parseImage(image)
  return FAMILIES.find(({ pattern }) => pattern.test(repository)) ?? ANY
}
