import { badRequest, WireError } from '../errors.ts'
import type { SamplingParams } from '../generation.ts'
import type { ChatRequest } from '../protocol/chat.ts'
import type { CompletionRequest } from '../protocol/completion.ts'
import { constraintsOf } from '../protocol/structured-outputs.ts'
import { pyRepr } from '../python/text.ts'
import type { PyInt } from '../python/value.ts'
import type { Serving } from '../serving.ts'
import { checkBadWords } from './bad-words.ts'
import { logprobsOf, promptLogprobsOf } from './sampling.ts'
import { checkStructured } from './structured.ts'

interface EngineInput {
  readonly request: ChatRequest | CompletionRequest
  readonly params: SamplingParams
  readonly promptTokenIds: readonly number[]
  readonly dataParallelRank?: number | undefined
  readonly priority?: number
}

/** What the engine itself refuses. Throws a WireError: whole answers give it as such, streams in a chunk. */
// follows SamplingParams.verify of vllm/sampling_params.py and vllm/v1/engine/input_processor.py
export function engineChecks(input: EngineInput, serving: Serving): void {
  const { request, promptTokenIds } = input
  checkLogprobs(input, serving)
  checkTokenIds(input, serving)
  const constraints = constraintsOf(request.structuredOutputs, request.responseFormat)
  if (constraints !== undefined && !request.useBeamSearch) checkStructured(constraints)
  if (request.thinkingTokenBudget !== undefined)
    throw badRequest(
      'thinking_token_budget is set but reasoning_config is not configured. Please set --reasoning-parser and/or --reasoning-config to use thinking_token_budget.',
    )
  checkRank(input.dataParallelRank, serving)
  checkPrompt(promptTokenIds, serving)
  checkRoutedExperts(request, promptTokenIds.length)
  checkBadWords(input.params.badWords, serving.model.tokenizer)
  checkPriority(input.priority ?? 0)
}

/** What has more than 64 bits cannot be told to the engine. */
// follows vllm/v1/serial_utils.py MsgpackEncoder
function checkPriority(priority: number): void {
  if (priority >= 2 ** 63 || priority < -(2 ** 63)) throw new WireError(500, 'InternalServerError', '')
}

const MOST_LOGPROB_TOKEN_IDS = 128

function checkLogprobs({ request }: EngineInput, { flags, model }: Serving): void {
  const { vocabSize } = model.tokenizer
  const most = flags.maxLogprobs === -1 ? vocabSize : flags.maxLogprobs
  const within = (name: string, words: string, count: PyInt | undefined): void => {
    const wanted = count === -1 ? vocabSize : (count ?? 0)
    if (wanted > most)
      throw badRequest(`Requested ${words} of ${wanted}, which is greater than max allowed: ${most}`, name, `${wanted}`)
  }
  within('logprobs', 'sample logprobs', logprobsOf(request))
  const ids = (request.logprobTokenIds?.length ?? 0) > 0 ? request.logprobTokenIds : undefined
  if (ids !== undefined) {
    if (ids.length > MOST_LOGPROB_TOKEN_IDS)
      throw badRequest(
        `Requested logprob_token_ids of length ${ids.length}, which is greater than max allowed: ${MOST_LOGPROB_TOKEN_IDS}`,
        'logprob_token_ids',
        String(ids.length),
      )
    checkVocabulary('logprob_token_ids', ids, vocabSize)
  }
  within('prompt_logprobs', 'prompt logprobs', promptLogprobsOf(request))
}

function checkTokenIds({ params, request }: EngineInput, { model }: Serving): void {
  const { vocabSize } = model.tokenizer
  checkVocabulary('logit_bias', [...(params.logitBias?.keys() ?? [])], vocabSize)
  checkVocabulary('stop_token_ids', [...new Set(request.stopTokenIds)], vocabSize)
  const allowed = request.allowedTokenIds
  if (allowed === undefined) return
  if (allowed.length === 0) throw badRequest('allowed_token_ids is not None and empty!', 'allowed_token_ids', '[]')
  const wrong = outside(allowed, vocabSize)
  if (wrong.length > 0)
    throw badRequest('allowed_token_ids contains out-of-vocab token id!', 'allowed_token_ids', pyRepr(wrong))
}

const outside = (ids: readonly PyInt[], vocabSize: number): readonly PyInt[] =>
  ids.filter((id) => id < 0 || id >= vocabSize)

function checkVocabulary(name: string, ids: readonly PyInt[], vocabSize: number): void {
  const wrong = outside(ids, vocabSize)
  if (wrong.length > 0)
    throw badRequest(
      `token_id(s) ${pyRepr(wrong)} in ${name} contain out-of-vocab token ids. Vocabulary size: ${vocabSize}`,
      name,
      pyRepr(wrong),
    )
}

function checkRank(rank: number | undefined, { settings }: Serving): void {
  if (rank === undefined) return
  const ranks = settings.dataParallelSize.value
  if (rank < 0 || rank >= ranks) throw badRequest(`data_parallel_rank ${rank} is out of range [0, ${ranks}).`)
}

// follows _validate_model_input of vllm/v1/engine/input_processor.py
function checkPrompt(ids: readonly number[], { model }: Serving): void {
  const { tokenizer, maxModelLen } = model
  if (ids.length === 0) throw badRequest('The decoder prompt cannot be empty')
  if (ids.length > maxModelLen)
    throw badRequest(
      `The decoder prompt (length ${ids.length}) is longer than the maximum model length of ${maxModelLen}. Make sure that \`max_model_len\` is no smaller than the number of text tokens.`,
    )
  if (ids.length === maxModelLen)
    throw badRequest(
      `The decoder prompt (length ${ids.length}) plus the number of requested output tokens (at least 1) is longer than the maximum model length of ${maxModelLen}. Make sure that \`max_model_len\` is no smaller than the number of text tokens (prompt + requested output tokens).`,
    )
  const [least, most] = extremes(ids)
  if (least < 0) throw badRequest(`Token id ${least} is out of vocabulary`)
  if (most > Math.max(tokenizer.maxTokenId, tokenizer.vocabSize - 1))
    throw badRequest(`Token id ${most} is out of vocabulary`)
}

function extremes(ids: readonly number[]): readonly [number, number] {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const id of ids) {
    if (id < least) least = id
    if (id > most) most = id
  }
  return [least, most]
}

function checkRoutedExperts({ fields }: ChatRequest | CompletionRequest, promptTokens: number): void {
  const start = fields.get('routed_experts_prompt_start')
  if ((typeof start === 'number' || typeof start === 'bigint') && start > promptTokens)
    throw badRequest(
      `routed_experts_prompt_start must be between 0 and the prompt length (${promptTokens}), inclusive.`,
      'routed_experts_prompt_start',
      String(start),
    )
}
