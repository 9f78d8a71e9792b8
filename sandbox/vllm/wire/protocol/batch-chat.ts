import { badRequest } from '../errors.ts'
import { dict, list, nullable, union } from '../pydantic/containers.ts'
import { bool, float, int, int64 } from '../pydantic/numbers.ts'
import { type Fields, model, required, withDefault } from '../pydantic/records.ts'
import { anything, literal, str } from '../pydantic/scalars.ts'
import { numeric } from '../python/errors.ts'
import { pyStr } from '../python/text.ts'
import { isDict, isList, type PyDict, type PyValue, truthy } from '../python/value.ts'
import { checkConstraintTag, looks } from './before.ts'
import { type ChatRequest, chatRequest } from './chat.ts'
import { topLogprobs } from './fields.ts'
import { message } from './messages.ts'
import { requestModel } from './parse-body.ts'
import { checkStructuralTagFormat } from './structural-tag.ts'
import { structuredOutputs } from './structured-outputs.ts'

/** `POST /v1/chat/completions/batch`, validated: one request for each conversation. */
// follows BatchChatCompletionRequest in vllm/entrypoints/openai/chat_completion/protocol.py
export interface BatchChatRequest {
  readonly chats: readonly ChatRequest[]
}

const maybe = (schema: Parameters<typeof nullable>[0]) => withDefault(nullable(schema), null)

const FIELDS: Fields = {
  messages: required(list(list(message, { minLength: 1 }), { minLength: 1 })),
  model: maybe(str()),
  frequency_penalty: maybe(float),
  logit_bias: maybe(dict(float)),
  logprobs: maybe(bool),
  top_logprobs: topLogprobs,
  logprob_token_ids: maybe(list(int())),
  max_tokens: maybe(int()),
  max_completion_tokens: maybe(int()),
  n: withDefault(nullable(int()), 1),
  presence_penalty: maybe(float),
  response_format: maybe(anything),
  seed: maybe(int64),
  stop: maybe(union(str(), list(str(), { maxLength: 4 }))),
  temperature: maybe(float),
  top_p: maybe(float),
  user: maybe(str()),
  tool_choice: withDefault(nullable(literal('none')), 'none'),
  include_reasoning: withDefault(bool, true),
  best_of: maybe(int()),
  use_beam_search: withDefault(bool, false),
  top_k: maybe(int()),
  min_p: maybe(float),
  repetition_penalty: maybe(float),
  watermarking: maybe(bool),
  length_penalty: maybe(float),
  early_stopping: withDefault(bool, false),
  structured_outputs: maybe(structuredOutputs),
  request_id: maybe(str()),
  add_generation_prompt: withDefault(bool, true),
  continue_final_message: withDefault(bool, false),
  chat_template: maybe(str()),
  chat_template_kwargs: maybe(dict(anything)),
  media_io_kwargs: maybe(dict(dict(anything))),
  mm_processor_kwargs: maybe(dict(anything)),
  priority: withDefault(int64, 0),
  cache_salt: maybe(str()),
  include_stop_str_in_output: withDefault(bool, false),
  guided_decoding_backend: maybe(str()),
  echo: withDefault(bool, false),
  return_tokens_as_token_ids: maybe(bool),
  return_token_ids: withDefault(bool, false),
}

const schema = model('BatchChatCompletionRequest', FIELDS, { before: looks(checkBatch) })

export const batchChatRequest = requestModel('BatchChatCompletionRequest', schema, (fields): BatchChatRequest => {
  const conversations = fields.get('messages')
  return { chats: (isList(conversations) ? conversations : []).map((messages) => chatOf(fields, messages)) }
})

/** One conversation as a request of its own. */
const chatOf = (shared: PyDict, messages: PyValue): ChatRequest =>
  chatRequest.parse(
    new Map([...[...shared].filter(([name, value]) => name !== 'stream' && value !== null), ['messages', messages]]),
  )

function checkBatch(body: PyDict): PyDict {
  if (truthy(body.get('use_beam_search')))
    throw badRequest(
      'Batch chat completions do not support beam search. Please set `use_beam_search` to False.',
      'use_beam_search',
    )
  if (truthy(body.get('logprob_token_ids')) && !truthy(body.get('logprobs')))
    throw badRequest('when using `logprob_token_ids`, `logprobs` must be set to true.', 'logprob_token_ids')
  const transfer = body.get('kv_transfer_params')
  if (isDict(transfer) && (transfer.get('prompt_token_ids') ?? null) !== null)
    throw badRequest(
      "Batch chat completions do not support `kv_transfer_params['prompt_token_ids']`: one pre-tokenized prompt cannot serve several conversations.",
      'kv_transfer_params.prompt_token_ids',
    )
  const format = body.get('response_format')
  if (isDict(format) && format.get('type') === 'structural_tag') checkStructuralTagFormat(format)
  checkConstraintTag(body)
  const n = body.get('n') ?? null
  if (n !== null && numeric(n) !== 1)
    throw badRequest('Batch chat completions do not support `n > 1`. Please set `n` to 1.', 'n', pyStr(n))
  return body
}
