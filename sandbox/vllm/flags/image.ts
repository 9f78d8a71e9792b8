/** An image reference taken apart. */
export interface ImageReference {
  /** Without a registry host: `vllm/vllm-openai`. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

/** What is known of an image that carries vLLM. */
export interface VllmImage extends ImageReference {
  /** The tag is vLLM's own version: true of images the vLLM project makes and of copies that keep its tags. */
  readonly tagIsVersion: boolean
  readonly platform: 'cuda' | 'rocm' | 'cpu' | 'tpu' | 'xpu' | 'hpu' | 'neuron'
  /** The image's entrypoint; undefined when it is not known and the manifest must name a command. */
  readonly entrypoint?: readonly string[]
}

/** Splits `host:port/path:tag@digest`. A first part with a dot, a port or `localhost` is the host. */
export function parseImage(image: string): ImageReference {
  const [withTag, digest] = image.split('@')
  const slash = withTag!.lastIndexOf('/')
  const colon = withTag!.indexOf(':', slash + 1)
  const path = colon < 0 ? withTag! : withTag!.slice(0, colon)
  const parts = path.split('/')
  if (parts.length > 1 && (/[.:]/.test(parts[0]!) || parts[0] === 'localhost')) parts.shift()
  return {
    repository: parts.join('/'),
    ...(colon < 0 ? {} : { tag: withTag!.slice(colon + 1) }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** Images that run models by another server around vLLM, or whose vLLM is started by something of their own. */
const OTHER_SERVERS: readonly [RegExp, string][] = [
  [/huggingfaceserver/, "KServe's huggingfaceserver wraps vLLM in a server of its own"],
  [/(^|\/)nim(\/|-)/, 'NVIDIA NIM starts its engine by a launcher of its own'],
  [/tritonserver/, 'Triton runs vLLM as a backend of its own server'],
  [/(^|\/)(sglang|text-generation-inference|ollama|lmdeploy)/, 'it is another inference server'],
  [/ray-llm|rayproject\/ray/, 'Ray Serve starts vLLM by its own configuration'],
  [/dynamo|vllm-runtime/, 'NVIDIA Dynamo starts vLLM as a worker of its own runtime'],
]

/** Why an image that may hold vLLM cannot be simulated; undefined for all others. */
export const otherServer = (image: ImageReference): string | undefined =>
  OTHER_SERVERS.find(([pattern]) => pattern.test(image.repository))?.[1]

/** Recognises an image that carries vLLM by its name; undefined when the name does not say so. */
export function vllmImage(image: string): VllmImage | undefined {
  const reference = parseImage(image)
  const { repository } = reference
  if (!/vllm|llm-d\/llm-d/.test(repository) || /router|gateway|epp|exporter|bench|autoscaler|operator/.test(repository))
    return undefined
  const platform = (
    /(rocm|cpu|tpu|xpu|hpu|gaudi|neuron)/.exec(`${repository}:${reference.tag ?? ''}`)?.[1] ?? 'cuda'
  ).replace('gaudi', 'hpu') as VllmImage['platform']
  const official = /(^|\/)vllm-openai(-\w+)?$/.test(repository) && !/^lmcache\//.test(repository)
  const entrypoint = /(^|\/)vllm-openai/.test(repository) ? entrypointOf(reference.tag) : undefined
  const tagIsVersion = official || /(^|\/)vllm(-cpu|-tpu|-rocm|-cpu-release-repo)?$/.test(repository)
  return { ...reference, tagIsVersion, platform, ...(entrypoint ? { entrypoint } : {}) }
}

/** The entrypoint vllm/vllm-openai was built with: the module until 0.11.0, the command since. */
function entrypointOf(tag: string | undefined): readonly string[] {
  const version = /^v?0\.(\d+)\.(\d+)/.exec(tag ?? '')
  const old = version !== null && (Number(version[1]) < 11 || (version[1] === '11' && version[2] === '0'))
  return old ? ['python3', '-m', 'vllm.entrypoints.openai.api_server'] : ['vllm', 'serve']
}
