import { otherServer, parseImage } from '../../../sandbox/vllm/flags/image.ts'
import { type Platform, type PlatformObject, sourceOf } from '../platform.ts'
import { gpusOf } from './gpu-requests.ts'
import { podTemplatesOf, type WrittenContainer } from './pod-templates.ts'

/** A workload that may serve models and is not judged. */
export interface Unjudged {
  readonly object: PlatformObject
  /** Where its container is: `deploy/sglang.yaml:20:9`. */
  readonly at: string
  readonly why: string
}

/** Inference servers other than vLLM, and workloads with GPUs of which nobody knows what they run. */
export function unjudgedWorkloads(platform: Platform, isJudged: (object: PlatformObject) => boolean): Unjudged[] {
  return platform.objects.flatMap((object) => {
    if (isJudged(object)) return []
    for (const { spec, path } of podTemplatesOf(object)) {
      for (const [i, container] of spec.containers.entries()) {
        const why = whyNot(container)
        if (!why) continue
        const { file, line, column } = sourceOf(object, [...path, 'containers', i])
        return [{ object, at: `${file}:${line}:${column}`, why }]
      }
    }
    return []
  })
}

/** What other servers are started by. */
const LAUNCHERS: readonly [RegExp, string][] = [
  [/sglang\.launch_server|sglang_router/, 'SGLang'],
  [/text-generation-launcher/, 'text-generation-inference'],
  [/trtllm-serve|tensorrt_llm/, 'TensorRT-LLM'],
  [/(^|\s|\/)tritonserver/, 'Triton'],
  [/(^|\s|\/)ollama\s+serve/, 'Ollama'],
  [/llama-server|llama_cpp\.server/, 'llama.cpp'],
  [/lmdeploy\s+serve/, 'LMDeploy'],
]
const IMAGES: readonly [RegExp, string][] = [
  [/(^|\/)ollama(\/|$)/, 'Ollama'],
  [/llama\.cpp|llama-cpp/, 'llama.cpp'],
  [/sglang/, 'SGLang'],
  [/text-(generation|embeddings)-inference/, 'text-generation-inference'],
]

function whyNot(container: WrittenContainer): string | undefined {
  const { image = '', command = [], args = [] } = container
  const reference = parseImage(image)
  const words = [...command, ...args].join(' ')
  const named = [
    ...LAUNCHERS.filter(([p]) => p.test(words)),
    ...IMAGES.filter(([p]) => p.test(reference.repository)),
  ][0]
  if (named) return `it runs ${named[1]}; only vLLM is simulated`
  const other = otherServer(reference)
  if (other) return `${image}: ${other}`
  const gpus = gpusOf({ containers: [container] })
  return gpus > 0 ? `it takes ${gpus} GPU${gpus === 1 ? '' : 's'}, and what ${image} runs is not known` : undefined
}
