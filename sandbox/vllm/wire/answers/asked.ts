import type { GenerateRequest } from '../protocol/generate.ts'
import type { PyInt } from '../python/value.ts'
import type { LoraAdapter, Serving } from '../serving.ts'
import type { Answering } from './answering.ts'

type Headers = ReadonlyMap<string, string>

/** Of the header, where it is a number, else of the body. */
// follows vllm/entrypoints/generate/base/serving.py _get_priority
export const priorityOf = (headers: Headers, asked: PyInt): number =>
  headerInt(headers.get('x-vllm-priority')) ?? Number(asked)

/** The engine a router means. What is no number is overlooked. */
// follows vllm/entrypoints/generate/base/serving.py _get_data_parallel_rank
export const dataParallelRankOf = (headers: Headers): number | undefined =>
  headerInt(headers.get('x-data-parallel-rank'))

/** As answers name it. */
export const modelName = (lora: LoraAdapter | undefined, { model }: Serving): string => lora?.name ?? model.names[0]

/** What the answer to any generation carries. `sequences`: of all prompts together. */
export function answeringOf(
  request: GenerateRequest,
  serving: Serving,
  { id, lora, sequences }: { readonly id: string; readonly lora: LoraAdapter | undefined; readonly sequences: number },
): Omit<Answering, 'logprobs'> {
  const { flags } = serving
  const options = request.streamOptions
  const forced = flags.enableForceIncludeUsage
  return {
    id,
    created: serving.unixSeconds(),
    model: modelName(lora, serving),
    fingerprint: flags.systemFingerprint,
    choices: choicesOf(request),
    tokenIds: request.returnTokenIds,
    includeUsage: forced || options?.includeUsage === true,
    continuousUsage: forced || (options?.includeUsage === true && options.continuousUsageStats),
    promptDetails: flags.enablePromptTokensDetails && !request.useBeamSearch,
    metrics: flags.enablePerRequestMetrics && sequences === 1,
  }
}

export const choicesOf = ({ n }: GenerateRequest): number => Number(n ?? 1)

/** Python's `int(text)`; undefined where it refuses. */
function headerInt(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*[+-]?\d+(_\d+)*\s*$/.test(text) ? Number(text.replaceAll('_', '')) : undefined
}
