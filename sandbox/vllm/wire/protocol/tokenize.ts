import { list, union } from '../pydantic/containers.ts'
import { int } from '../pydantic/numbers.ts'
import { model, required } from '../pydantic/records.ts'
import { str } from '../pydantic/scalars.ts'
import type { PyDict, PyInt, PyList } from '../python/value.ts'
import * as before from './before.ts'
import * as field from './fields.ts'
import type { ToolParam } from './generate.ts'
import { type ChatMessages, chatMessages, messageList } from './messages.ts'
import { requestModel } from './parse-body.ts'
import { Reader } from './reader.ts'
import { readTool, toolList } from './tools.ts'

interface TokenizeBase {
  readonly model: string | undefined
  readonly addSpecialTokens: boolean
  readonly returnTokenStrs: boolean
}

export interface TokenizeTextRequest extends TokenizeBase {
  readonly kind: 'tokenize-text'
  readonly prompt: string
}

export interface TokenizeChatRequest extends TokenizeBase {
  readonly kind: 'tokenize-chat'
  readonly messages: ChatMessages
  readonly addGenerationPrompt: boolean
  readonly continueFinalMessage: boolean
  readonly chatTemplate: string | undefined
  readonly chatTemplateKwargs: PyDict | undefined
  readonly mediaIoKwargs: PyDict | undefined
  readonly mmProcessorKwargs: PyDict | undefined
  readonly tools: readonly ToolParam[] | undefined
}

/** `POST /tokenize`: a text or a chat, whichever fits more of the body. */
// follows vllm/entrypoints/serve/tokenize/protocol.py
export type TokenizeRequest = TokenizeTextRequest | TokenizeChatRequest

/** `POST /detokenize`. */
export interface DetokenizeRequest {
  readonly model: string | undefined
  readonly tokens: readonly PyInt[]
}

const KIND = '\0kind'

/** Marks which branch of a union a body became. */
const marked =
  (kind: string) =>
  (fields: PyDict): PyDict =>
    new Map([...fields, [KIND, kind]])

const textSchema = model(
  'TokenizeCompletionRequest',
  {
    model: field.optionalText,
    prompt: required(str()),
    add_special_tokens: field.yes,
    return_token_strs: field.nullableNo,
  },
  { after: [marked('text')] },
)

const chatSchema = model(
  'TokenizeChatRequest',
  {
    model: field.optionalText,
    messages: required(messageList),
    add_generation_prompt: field.yes,
    return_token_strs: field.nullableNo,
    continue_final_message: field.no,
    add_special_tokens: field.no,
    chat_template: field.optionalText,
    chat_template_kwargs: field.optionalDict,
    media_io_kwargs: field.mediaIoKwargs,
    mm_processor_kwargs: field.optionalDict,
    tools: field.orNone(toolList),
  },
  { before: before.looks(before.checkGenerationPrompt), after: [marked('chat')] },
)

export const tokenizeRequest = requestModel<TokenizeRequest>(
  'TokenizeRequest',
  union(textSchema, chatSchema),
  (fields) => (fields.get(KIND) === 'chat' ? readChat(fields) : readText(fields)),
)

function readText(fields: PyDict): TokenizeTextRequest {
  const read = new Reader(fields)
  return {
    kind: 'tokenize-text',
    model: read.text('model'),
    prompt: read.text('prompt') ?? '',
    addSpecialTokens: read.flag('add_special_tokens') ?? true,
    returnTokenStrs: read.flag('return_token_strs') ?? false,
  }
}

function readChat(fields: PyDict): TokenizeChatRequest {
  const read = new Reader(fields)
  return {
    kind: 'tokenize-chat',
    model: read.text('model'),
    messages: chatMessages(fields.get('messages') as PyList),
    addGenerationPrompt: read.flag('add_generation_prompt') ?? true,
    continueFinalMessage: read.flag('continue_final_message') ?? false,
    addSpecialTokens: read.flag('add_special_tokens') ?? false,
    returnTokenStrs: read.flag('return_token_strs') ?? false,
    chatTemplate: read.text('chat_template'),
    chatTemplateKwargs: read.dict('chat_template_kwargs'),
    mediaIoKwargs: read.dict('media_io_kwargs'),
    mmProcessorKwargs: read.dict('mm_processor_kwargs'),
    tools: read.dicts('tools')?.map(readTool),
  }
}

export const detokenizeRequest = requestModel<DetokenizeRequest>(
  'DetokenizeRequest',
  model('DetokenizeRequest', {
    model: field.optionalText,
    tokens: required(list(int({ ge: 0n, le: 2n ** 63n - 1n }))),
  }),
  (fields) => {
    const read = new Reader(fields)
    return { model: read.text('model'), tokens: read.ints('tokens') ?? [] }
  },
)
