import { badRequest } from '../errors.ts'
import { dict, list, nullable } from '../pydantic/containers.ts'
import { bool, float, int } from '../pydantic/numbers.ts'
import { model, required, withDefault } from '../pydantic/records.ts'
import { literal, str } from '../pydantic/scalars.ts'
import { numeric } from '../python/errors.ts'
import type { PyDict, PyInt, PyList } from '../python/value.ts'
import { PyFloat, truthy } from '../python/value.ts'
import * as before from './before.ts'
import * as field from './fields.ts'
import type { GenerateRequest, ToolParam } from './generate.ts'
import { readGenerate } from './generate-reader.ts'
import { type ChatMessages, chatMessages, messageList, readToolCalls } from './messages.ts'
import { requestModel } from './parse-body.ts'
import { Reader } from './reader.ts'
import { responseFormat } from './response-format.ts'
import { structuredOutputs } from './structured-outputs.ts'
import { checkToolUsage } from './tool-choice.ts'
import { readTool, readToolChoice, toolChoice, toolList } from './tools.ts'

/** `POST /v1/chat/completions`, validated. Names are those of the body, in camel case. */
// follows vllm/entrypoints/openai/chat_completion/protocol.py
export interface ChatRequest extends GenerateRequest {
  readonly kind: 'chat'
  readonly messages: ChatMessages
  readonly logprobs: boolean
  readonly topLogprobs: PyInt
  readonly maxTokens: PyInt | undefined
  readonly maxCompletionTokens: PyInt | undefined
  readonly tools: readonly ToolParam[] | undefined
  /** `{ name }` is a named function. */
  readonly toolChoice: 'none' | 'auto' | 'required' | { readonly name: string } | undefined
  readonly parallelToolCalls: boolean | undefined
  readonly reasoningEffort: string | undefined
  readonly includeReasoning: boolean
  readonly addGenerationPrompt: boolean
  readonly continueFinalMessage: boolean
  readonly documents: readonly PyDict[] | undefined
  readonly chatTemplate: string | undefined
  readonly chatTemplateKwargs: PyDict | undefined
  readonly mediaIoKwargs: PyDict | undefined
  readonly mmProcessorKwargs: PyDict | undefined
  readonly returnPromptText: boolean
}

function checkConstraints(body: PyDict): PyDict {
  const count = before.countConstraints(body)
  const choice = body.has('tool_choice') ? body.get('tool_choice') : 'none'
  if (count > 0 && choice !== 'none' && choice !== 'auto' && choice !== 'required')
    throw badRequest('You can only either use constraints for structured outputs or tools, not both.')
  before.checkConstraintTag(body)
  return body
}

function checkLogprobs(body: PyDict): PyDict {
  before.checkLogprobTokenIds(body)
  if (truthy(body.get('logprob_token_ids')) && !truthy(body.get('logprobs')))
    throw badRequest('when using `logprob_token_ids`, `logprobs` must be set to true.', 'logprob_token_ids')
  before.checkNumbers(body, 'prompt_logprobs', 'top_logprobs')
  before.checkPromptLogprobs(body)
  before.checkPositive(body, 'top_logprobs')
  const top = numeric(body.get('top_logprobs'))
  if (top !== undefined && (top > 0 || before.isMinusOne(top)) && !truthy(body.get('logprobs')))
    throw badRequest('when using `top_logprobs`, `logprobs` must be set to true.', 'top_logprobs')
  return body
}

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
  prompt_logprobs: field.optionalInt,
  logprob_token_ids: field.optionalInts,
  allowed_token_ids: field.optionalInts,
  bad_words: field.badWords,
}

const schema = model(
  'ChatCompletionRequest',
  {
    messages: required(messageList),
    model: field.optionalText,
    frequency_penalty: field.optionalFloat,
    logit_bias: field.logitBias,
    logprobs: field.nullableNo,
    top_logprobs: field.topLogprobs,
    max_tokens: field.optionalInt,
    max_completion_tokens: field.optionalInt,
    n: withDefault(nullable(int()), 1),
    presence_penalty: field.optionalFloat,
    response_format: field.orNone(responseFormat),
    seed: field.seed,
    stop: field.stop,
    stream: field.nullableNo,
    stream_options: field.streamOptions,
    temperature: field.optionalFloat,
    top_p: field.optionalFloat,
    tools: field.orNone(toolList),
    tool_choice: withDefault(nullable(toolChoice), 'none'),
    reasoning_effort: field.orNone(literal('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max')),
    thinking_token_budget: field.thinkingTokenBudget,
    include_reasoning: field.yes,
    parallel_tool_calls: withDefault(nullable(bool), true),
    user: field.optionalText,
    ...sampling,
    echo: field.no,
    add_generation_prompt: field.yes,
    continue_final_message: field.no,
    add_special_tokens: field.no,
    documents: field.orNone(list(dict(str()))),
    chat_template: field.optionalText,
    chat_template_kwargs: field.optionalDict,
    media_io_kwargs: field.mediaIoKwargs,
    mm_processor_kwargs: field.optionalDict,
    structured_outputs: field.orNone(structuredOutputs),
    priority: field.priority,
    request_id: field.requestId,
    session_id: field.optionalText,
    return_tokens_as_token_ids: field.optionalBool,
    return_token_ids: field.optionalBool,
    routed_experts_prompt_start: field.routedExpertsPromptStart,
    return_token_offsets: field.nullableNo,
    return_prompt_text: field.optionalBool,
    mm_payload: field.mmPayload,
    return_mm_kwargs: field.optionalBool,
    cache_salt: field.cacheSalt,
    kv_transfer_params: field.optionalDict,
    ec_transfer_params: field.optionalDict,
    vllm_xargs: field.xargs,
    repetition_detection: field.repetitionDetection,
    stream_interval: field.streamInterval,
  },
  {
    before: before.looks(
      before.lookAtSystemMessages,
      before.checkGenerationPrompt,
      checkToolUsage,
      checkConstraints,
      checkLogprobs,
      before.checkStreamOptions,
      before.checkResponseFormat,
      before.normalizeMessages,
      before.checkCacheSalt,
      before.mapReturnMmKwargs,
    ),
    after: [readToolCalls],
  },
)

export const chatRequest = requestModel('ChatCompletionRequest', schema, readChat)

function readChat(fields: PyDict): ChatRequest {
  const read = new Reader(fields)
  return {
    ...readGenerate(fields),
    kind: 'chat',
    messages: chatMessages(fields.get('messages') as PyList),
    logprobs: read.flag('logprobs') ?? false,
    topLogprobs: read.int('top_logprobs') ?? 0,
    maxTokens: read.int('max_tokens'),
    maxCompletionTokens: read.int('max_completion_tokens'),
    tools: read.dicts('tools')?.map(readTool),
    toolChoice: readToolChoice(fields.get('tool_choice')),
    parallelToolCalls: read.flag('parallel_tool_calls'),
    reasoningEffort: read.text('reasoning_effort'),
    includeReasoning: read.flag('include_reasoning') ?? true,
    addGenerationPrompt: read.flag('add_generation_prompt') ?? true,
    continueFinalMessage: read.flag('continue_final_message') ?? false,
    documents: read.dicts('documents'),
    chatTemplate: read.text('chat_template'),
    chatTemplateKwargs: read.dict('chat_template_kwargs'),
    mediaIoKwargs: read.dict('media_io_kwargs'),
    mmProcessorKwargs: read.dict('mm_processor_kwargs'),
    returnPromptText: read.flag('return_prompt_text') ?? false,
  }
}
