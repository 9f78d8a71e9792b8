import { badRequest } from '../errors.ts'
import { dict, list, nullable, union } from '../pydantic/containers.ts'
import { bool, int, int64 } from '../pydantic/numbers.ts'
import { Invalid, type Schema, State } from '../pydantic/outcome.ts'
import { type Fields, model, required, withDefault } from '../pydantic/records.ts'
import { validationError } from '../pydantic/report.ts'
import { anything, literal, str } from '../pydantic/scalars.ts'
import { typeError, typeName } from '../python/errors.ts'
import { isDict, isList, type PyDict, type PyValue, truthy } from '../python/value.ts'
import * as before from './before.ts'
import * as field from './fields.ts'
import { requestModel } from './parse-body.ts'
import { responseTypes } from './response-types.ts'

const INCLUDED = [
  'code_interpreter_call.outputs',
  'computer_call_output.output.image_url',
  'file_search_call.results',
  'message.input_image.image_url',
  'message.output_text.logprobs',
  'reasoning.encrypted_content',
]

const FIELDS: Fields = {
  background: field.nullableNo,
  include: field.orNone(list(literal(...INCLUDED))),
  input: required(union(str(), list(dict(anything)))),
  instructions: field.optionalText,
  max_output_tokens: field.optionalInt,
  max_tool_calls: field.optionalInt,
  metadata: field.orNone(dict(str())),
  model: field.optionalText,
  logit_bias: field.logitBias,
  parallel_tool_calls: withDefault(nullable(bool), true),
  previous_response_id: field.optionalText,
  prompt: field.optionalDict,
  reasoning: field.optionalDict,
  include_reasoning: field.yes,
  service_tier: withDefault(literal('auto', 'default', 'flex', 'scale', 'priority'), 'auto'),
  store: withDefault(nullable(bool), true),
  stream: field.nullableNo,
  temperature: field.optionalFloat,
  text: field.optionalDict,
  tool_choice: withDefault(union(literal('none', 'auto', 'required'), dict(anything)), 'auto'),
  tools: withDefault(list(dict(anything)), []),
  top_logprobs: withDefault(nullable(int()), 0),
  top_p: field.optionalFloat,
  top_k: field.optionalInt,
  min_p: field.optionalFloat,
  truncation: withDefault(nullable(literal('auto', 'disabled')), 'disabled'),
  user: field.optionalText,
  skip_special_tokens: field.yes,
  include_stop_str_in_output: field.no,
  presence_penalty: field.optionalFloat,
  frequency_penalty: field.optionalFloat,
  prompt_cache_key: field.optionalText,
  watermarking: field.optionalBool,
  request_id: { schema: str(), optional: true },
  session_id: field.optionalText,
  media_io_kwargs: field.optionalDict,
  mm_processor_kwargs: field.optionalDict,
  priority: withDefault(int64, 0),
  mm_payload: withDefault(literal('tensors', 'none'), 'tensors'),
  return_mm_kwargs: field.optionalBool,
  cache_salt: field.orNone(str({ minLength: 1, maxLength: 1024 })),
  enable_response_messages: field.no,
  previous_input_messages: field.orNone(list(anything)),
  structured_outputs: field.optionalDict,
  repetition_penalty: field.optionalFloat,
  seed: field.seed,
  stop: field.stop,
  stop_token_ids: field.stopTokenIds,
  ignore_eos: field.no,
  vllm_xargs: field.optionalDict,
  kv_transfer_params: field.optionalDict,
  ec_transfer_params: field.optionalDict,
  chat_template_kwargs: field.optionalDict,
}

/** `POST /v1/responses`, validated: the fields as sent, with their defaults. */
// follows vllm/entrypoints/openai/responses/protocol.py
export const responsesRequest = requestModel(
  'ResponsesRequest',
  model('ResponsesRequest', FIELDS, {
    before: [
      ...before.looks(
        checkTools,
        checkCustomTools,
        listedInput,
        checkPrompt,
        checkBackground,
        before.checkCacheSalt,
        before.mapReturnMmKwargs,
      ),
      checkFields,
    ],
  }),
  (fields): PyDict => fields,
)

/** Every field as OpenAI's types have it; items of the input and tools are told apart for their errors alone. */
function checkFields(body: PyValue): PyValue {
  described ??= model('ResponsesRequest', responseTypes().fieldsOf('ResponsesRequest'))
  const checked = described.check(body, new State())
  if (checked instanceof Invalid) throw validationError(checked.errors, 'body')
  return body
}

let described: Schema | undefined

function checkCustomTools(body: PyDict): PyDict {
  const tools = body.get('tools')
  const isGrammar = (tool: PyValue): boolean => {
    const format = isDict(tool) && tool.get('type') === 'custom' ? tool.get('format') : undefined
    return isDict(format) && format.get('type') === 'grammar'
  }
  if (isList(tools) && tools.some(isGrammar))
    throw badRequest(
      'Custom tools with a grammar format are not supported; only free-form text custom tools are accepted.',
      'tools',
    )
  return body
}

function checkTools(body: PyDict): PyDict {
  const tools = body.get('tools') ?? null
  const choice = body.has('tool_choice') ? body.get('tool_choice')! : 'auto'
  const named = isDict(choice) && ['function', 'custom'].includes(String(choice.get('type')))
  if (tools === null || lengthOf(tools) === 0) {
    if (choice === 'auto' || choice === 'none') return before.changed(body, { tool_choice: 'none' })
    if (choice === 'required')
      throw badRequest("Tool choice 'required' must be specified with 'tools' parameter.", 'tool_choice')
    if (named) throw foreignTool()
    return body
  }
  const name = named ? (choice as PyDict).get('name') : undefined
  const known = isList(tools) && tools.some((tool) => isDict(tool) && tool.get('name') === name)
  if (named && (!truthy(name) || !known)) throw foreignTool()
  return body
}

function lengthOf(value: PyValue): number {
  if (isDict(value)) return value.size
  if (isList(value) || typeof value === 'string') return value.length
  throw typeError(`object of type '${typeName(value)}' has no len()`)
}

/** What can be iterated becomes a list: of a dict, its keys. */
function listedInput(body: PyDict): PyDict {
  const input = body.get('input')
  return isDict(input) ? before.changed(body, { input: [...input.keys()] }) : body
}

const foreignTool = () => badRequest("Tool choice 'function' not found in 'tools' parameter.", 'tool_choice')

function checkPrompt(body: PyDict): PyDict {
  if ((body.get('prompt') ?? null) !== null) throw badRequest('prompt template is not supported', 'prompt')
  return body
}

function checkBackground(body: PyDict): PyDict {
  const stored: PyValue | undefined = body.has('store') ? body.get('store') : true
  if (truthy(body.get('background')) && !truthy(stored))
    throw badRequest('background can only be used when `store` is true', 'background')
  return body
}
