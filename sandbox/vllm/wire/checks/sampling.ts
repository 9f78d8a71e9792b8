import { badRequest } from '../errors.ts'
import type { SamplingParams } from '../generation.ts'
import type { ChatRequest } from '../protocol/chat.ts'
import type { CompletionRequest } from '../protocol/completion.ts'
import type { StructuredOutputsParams } from '../protocol/generate.ts'
import { constraintsOf } from '../protocol/structured-outputs.ts'
import { pyRepr } from '../python/text.ts'
import type { PyInt } from '../python/value.ts'
import type { Serving } from '../serving.ts'
import { checkSampling, type Sampling } from './sampling-rules.ts'
import { structuredOf } from './structured.ts'

/** How tokens are to be drawn. Throws for the first parameter that is out of its range. `promptTokens`: after cuts. */
// follows to_sampling_params of vllm/entrypoints/openai/*/protocol.py and vllm/sampling_params.py
export function samplingParams(
  request: ChatRequest | CompletionRequest,
  promptTokens: number,
  serving: Serving,
): SamplingParams {
  const maxTokens = maxTokensOf(request, promptTokens, serving)
  if (request.useBeamSearch) return paramsOf(request, samplingOf(request, maxTokens), undefined, undefined)
  const structured = constraintsOf(request.structuredOutputs, request.responseFormat)
  const logitBias = logitBiasOf(request)
  const sampling = samplingOf(request, maxTokens)
  checkSampling(sampling)
  return paramsOf(request, sampling, logitBias, structured)
}

/** The least of what the context leaves and what is asked. */
// follows get_max_tokens of vllm/entrypoints/serve/utils/api_utils.py
function maxTokensOf(request: ChatRequest | CompletionRequest, promptTokens: number, { model }: Serving): PyInt {
  const cut = request.truncatePromptTokens
  const length = cut === undefined ? promptTokens : Math.min(promptTokens, cut === -1 ? model.maxModelLen : Number(cut))
  const left = model.maxModelLen - length
  const asked = request.kind === 'chat' ? (request.maxCompletionTokens ?? request.maxTokens) : request.maxTokens
  if (request.kind === 'completion' && request.echo && Number(request.maxTokens) === 0) return 1
  return asked === undefined || asked > left ? left : asked
}

const SMALLEST_TEMPERATURE = 0.01
const GREEDY = 1e-5

function samplingOf(request: ChatRequest | CompletionRequest, maxTokens: PyInt): Sampling {
  const temperature = request.temperature ?? 1
  return {
    n: request.n ?? 1,
    xargs: request.vllmXargs,
    presencePenalty: request.presencePenalty ?? 0,
    frequencyPenalty: request.frequencyPenalty ?? 0,
    repetitionPenalty: request.repetitionPenalty ?? 1,
    temperature: temperature > 0 && temperature < SMALLEST_TEMPERATURE ? SMALLEST_TEMPERATURE : temperature,
    topP: request.topP ?? 1,
    topK: request.topK ?? 0,
    minP: request.minP ?? 0,
    maxTokens,
    minTokens: request.minTokens,
    logprobs: logprobsOf(request),
    promptLogprobs: promptLogprobsOf(request),
    stop: request.stop,
    badWords: [...new Set(request.badWords)],
  }
}

/** Top tokens that are wanted; chosen ids count before the most likely ones. */
export function logprobsOf(request: ChatRequest | CompletionRequest): PyInt | undefined {
  if ((request.logprobTokenIds?.length ?? 0) > 0) return undefined
  return request.kind === 'completion' ? request.logprobs : request.logprobs ? request.topLogprobs : undefined
}

/** As `logprobsOf`, of the prompt: an echo tells those too. */
export function promptLogprobsOf(request: ChatRequest | CompletionRequest): PyInt | undefined {
  if (request.promptLogprobs !== undefined || !request.echo) return request.promptLogprobs
  return request.kind === 'completion' ? request.logprobs : request.topLogprobs
}

const MOST_BIAS = 100
const TOKEN_ID = /^\s*[+-]?\p{Nd}+(?:_\p{Nd}+)*\s*$/u

function logitBiasOf({ logitBias }: ChatRequest | CompletionRequest): ReadonlyMap<number, number> | undefined {
  if (logitBias === undefined) return undefined
  const wrong = [...logitBias.keys()].filter((key) => !TOKEN_ID.test(key))
  if (wrong.length > 0)
    throw badRequest(
      `logit_bias contains key(s) that cannot be converted to integer token IDs: ${pyRepr(wrong)}`,
      'logit_bias',
      pyRepr(wrong),
    )
  return new Map(
    [...logitBias].map(([key, bias]) => [
      Number(key.replaceAll('_', '')),
      Number.isNaN(bias) ? -MOST_BIAS : Math.min(MOST_BIAS, Math.max(-MOST_BIAS, bias)),
    ]),
  )
}

function paramsOf(
  request: ChatRequest | CompletionRequest,
  sampling: Sampling,
  logitBias: ReadonlyMap<number, number> | undefined,
  structured: StructuredOutputsParams | undefined,
): SamplingParams {
  const greedy = sampling.temperature < GREEDY
  return {
    n: Number(sampling.n),
    temperature: sampling.temperature,
    topP: greedy ? 1 : sampling.topP,
    topK: greedy ? 0 : Number(sampling.topK),
    seed: request.seed === undefined || request.seed === -1 ? undefined : Number(request.seed),
    maxTokens: Number(sampling.maxTokens),
    minTokens: Number(sampling.minTokens),
    stop: sampling.stop,
    stopTokenIds: [...new Set(request.stopTokenIds.map(Number))],
    ignoreEos: request.ignoreEos,
    includeStopStrInOutput: request.includeStopStrInOutput,
    skipSpecialTokens: request.skipSpecialTokens,
    spacesBetweenSpecialTokens: request.spacesBetweenSpecialTokens,
    logprobs: numberOf(sampling.logprobs),
    promptLogprobs: numberOf(sampling.promptLogprobs),
    logprobTokenIds: (request.logprobTokenIds?.length ?? 0) > 0 ? request.logprobTokenIds?.map(Number) : undefined,
    logitBias,
    allowedTokenIds: request.allowedTokenIds?.map(Number),
    badWords: sampling.badWords,
    structured: structured && structuredOf(structured),
  }
}

const numberOf = (value: PyInt | undefined): number | undefined => (value === undefined ? undefined : Number(value))
