import { badRequest } from '../errors.ts'
import { list, nullable, union } from '../pydantic/containers.ts'
import { float, int } from '../pydantic/numbers.ts'
import { model, withDefault } from '../pydantic/records.ts'
import { bytes, str } from '../pydantic/scalars.ts'
import { isInt, isList, type PyDict, PyFloat, type PyInt, type PyValue, truthy } from '../python/value.ts'
import * as before from './before.ts'
import * as field from './fields.ts'
import type { GenerateRequest } from './generate.ts'
import { readGenerate } from './generate-reader.ts'
import { requestModel } from './parse-body.ts'
import { Reader } from './reader.ts'
import { responseFormat } from './response-format.ts'
import { structuredOutputs } from './structured-outputs.ts'

/** A prompt of a completion request: text, or token ids. */
export type Prompt = string | readonly PyInt[]

/** `POST /v1/completions`, validated. */
// follows vllm/entrypoints/openai/completion/protocol.py
export interface CompletionRequest extends GenerateRequest {
  readonly kind: 'completion'
  /** Each prompt of the request, in order; a single one stands alone. */
  readonly prompts: readonly Prompt[]
  /** None: only embeddings were given. */
  readonly hasPrompt: boolean
  readonly logprobs: PyInt | undefined
  readonly maxTokens: PyInt | undefined
  readonly suffix: string | undefined
  /** How many embeddings were given; undefined: none. */
  readonly promptEmbeds: number | undefined
}

const MAX_PROMPTS = 1024
const DEFAULT_MAX_TOKENS = 16

function checkPromptCount(body: PyDict): PyDict {
  const prompt = body.get('prompt')
  if (isList(prompt) && !startsWithInt(prompt)) checkCount('prompt', prompt.length)
  const embeds = body.get('prompt_embeds')
  if (isList(embeds)) checkCount('prompt_embeds', embeds.length)
  return body
}

const startsWithInt = ([first]: readonly PyValue[]): boolean => isInt(first) || typeof first === 'boolean'

function checkCount(name: string, count: number): void {
  if (count > MAX_PROMPTS)
    throw badRequest(
      `${name} list length ${count} exceeds the maximum allowed count of ${MAX_PROMPTS}. To increase this limit, set the VLLM_MAX_COMPLETION_PROMPTS environment variable.`,
      name,
    )
}

function checkPromptGiven(body: PyDict): PyDict {
  const prompt = body.get('prompt') ?? null
  const embeds = body.get('prompt_embeds') ?? null
  const noEmbeds = embeds === null || (isList(embeds) && embeds.length === 0)
  if ((prompt === null || prompt === '') && noEmbeds)
    throw badRequest('Either prompt or prompt_embeds must be provided and non-empty.', 'prompt')
  return body
}

function checkLogprobs(body: PyDict): PyDict {
  before.checkLogprobTokenIds(body)
  const wantsIds = truthy(body.get('logprob_token_ids'))
  const logprobs = body.get('logprobs') ?? null
  if (truthy(body.get('use_beam_search')) && truthy(body.get('echo')) && logprobs !== null)
    throw badRequest(
      '`echo` with `logprobs` is not supported with beam search because beam search does not compute prompt logprobs.',
      'echo',
    )
  if (wantsIds && truthy(body.get('echo')) && isZero(body.get('max_tokens')))
    throw badRequest(
      '`logprob_token_ids` is not supported when `echo=True` and `max_tokens=0` because no output tokens are generated.',
      'logprob_token_ids',
    )
  if (wantsIds && logprobs === null)
    throw badRequest('when using `logprob_token_ids`, `logprobs` must be set.', 'logprob_token_ids')
  before.checkNumbers(body, 'prompt_logprobs', 'logprobs')
  before.checkPromptLogprobs(body)
  before.checkPositive(body, 'logprobs')
  return body
}

const isZero = (value: PyValue | undefined): boolean =>
  value === 0 || value === false || (value instanceof PyFloat && value.value === 0)

function checkConstraints(body: PyDict): PyDict {
  before.countConstraints(body, 'structured_outputs')
  before.checkConstraintTag(body)
  return body
}

const defaultMaxTokens = (body: PyDict): PyDict =>
  (body.get('max_tokens') ?? null) === null ? before.changed(body, { max_tokens: DEFAULT_MAX_TOKENS }) : body

const tokenIds = list(int({ ge: 0n }))

const sampling = {
  use_beam_search: field.no,
  top_k: field.optionalInt,
  min_p: field.optionalFloat,
  repetition_penalty: field.optionalFloat,
  watermarking: field.optionalBool,
  length_penalty: withDefault(float, new PyFloat(1)),
  stop_token_ids: field.stopTokenIds,
  include_stop_str_in_output: field.no,
  ignore_eos: field.no,
  min_tokens: withDefault(int(), 0),
  skip_special_tokens: field.yes,
  spaces_between_special_tokens: field.yes,
  truncate_prompt_tokens: field.truncatePromptTokens,
  truncation_side: field.truncationSide,
  allowed_token_ids: field.optionalInts,
  prompt_logprobs: field.optionalInt,
  logprob_token_ids: field.optionalInts,
  bad_words: field.badWords,
}

const schema = model(
  'CompletionRequest',
  {
    model: field.optionalText,
    prompt: field.orNone(union(tokenIds, list(tokenIds), str(), list(str()))),
    echo: field.nullableNo,
    frequency_penalty: field.optionalFloat,
    logit_bias: field.logitBias,
    logprobs: field.optionalInt,
    max_tokens: withDefault(nullable(int()), DEFAULT_MAX_TOKENS),
    n: withDefault(int(), 1),
    presence_penalty: field.optionalFloat,
    seed: field.seed,
    stop: field.stop,
    stream: field.nullableNo,
    stream_options: field.streamOptions,
    suffix: field.optionalText,
    temperature: field.optionalFloat,
    top_p: field.optionalFloat,
    user: field.optionalText,
    ...sampling,
    prompt_embeds: field.orNone(union(bytes, list(bytes))),
    add_special_tokens: field.yes,
    response_format: field.orNone(responseFormat),
    structured_outputs: field.orNone(structuredOutputs),
    priority: field.priority,
    request_id: field.requestId,
    session_id: field.optionalText,
    return_tokens_as_token_ids: field.optionalBool,
    return_token_ids: field.optionalBool,
    routed_experts_prompt_start: field.routedExpertsPromptStart,
    return_token_offsets: field.nullableNo,
    mm_payload: field.mmPayload,
    return_mm_kwargs: field.optionalBool,
    cache_salt: field.cacheSalt,
    kv_transfer_params: field.optionalDict,
    ec_transfer_params: field.optionalDict,
    vllm_xargs: field.xargs,
    repetition_detection: field.repetitionDetection,
    thinking_token_budget: field.thinkingTokenBudget,
    stream_interval: field.streamInterval,
  },
  {
    before: before.looks(
      checkPromptCount,
      checkPromptGiven,
      before.checkStreamOptions,
      checkLogprobs,
      checkConstraints,
      before.checkResponseFormat,
      defaultMaxTokens,
      before.checkCacheSalt,
      before.mapReturnMmKwargs,
    ),
  },
)

export const completionRequest = requestModel('CompletionRequest', schema, readCompletion)

function readCompletion(fields: PyDict): CompletionRequest {
  const read = new Reader(fields)
  const prompt = fields.get('prompt') ?? null
  return {
    ...readGenerate(fields),
    kind: 'completion',
    prompts: promptsOf(prompt),
    hasPrompt: prompt !== null,
    logprobs: read.int('logprobs'),
    maxTokens: read.int('max_tokens'),
    suffix: read.text('suffix'),
    promptEmbeds: embedsOf(fields.get('prompt_embeds') ?? null),
  }
}

// follows prompt_to_seq of vllm/renderers/inputs/preprocess.py
function promptsOf(prompt: PyValue): readonly Prompt[] {
  if (typeof prompt === 'string') return [prompt]
  if (!isList(prompt)) return []
  if (isInt(prompt[0])) return [prompt.filter(isInt)]
  return prompt.map((one) => (isList(one) ? one.filter(isInt) : String(one)))
}

function embedsOf(embeds: PyValue): number | undefined {
  if (embeds === null) return undefined
  return isList(embeds) ? embeds.length : 1
}
