import { dict, list, nullable, tagged, union } from '../pydantic/containers.ts'
import { bool, float, int } from '../pydantic/numbers.ts'
import { Invalid, refuse, type Schema } from '../pydantic/outcome.ts'
import { type Fields, type ModelOptions, model, required, withDefault } from '../pydantic/records.ts'
import { anything, literal, str } from '../pydantic/scalars.ts'
import { pyRepr } from '../python/text.ts'
import { isDict, isInt, isList, type PyValue, truthy } from '../python/value.ts'
import { xargs } from './fields.ts'
import { requestModel } from './parse-body.ts'

const maybe = (schema: Schema) => withDefault(nullable(schema), null)
const own = (name: string, fields: Fields, options: ModelOptions = {}) =>
  model(name, fields, { ...options, extra: 'ignore' })

/** What a validator of the model itself refuses, which pydantic reports as a ValueError. */
const valueError = (message: string, input: PyValue): Invalid =>
  refuse('value_error', `Value error, ${message}`, input, [['error', `ValueError(${pyRepr(message)})`]])

const CHANGES = ['tool_addition', 'tool_removal']

const tool = own('AnthropicTool', {
  name: required(str()),
  description: maybe(str()),
  input_schema: required(objectSchema(dict(anything))),
  strict: maybe(bool),
  defer_loading: maybe(bool),
})

const toolChange = tagged('type', {
  tool_reference: own('AnthropicToolChangeReference', {
    type: required(literal('tool_reference')),
    name: required(str()),
  }),
  tool_definition: own('AnthropicToolChangeDefinition', {
    type: required(literal('tool_definition')),
    definition: required(tool),
  }),
})

const BLOCK_TYPES = ['text', 'image', 'tool_use', 'tool_result', 'tool_reference', 'thinking', 'redacted_thinking']

const block = own(
  'AnthropicContentBlock',
  {
    type: required(literal(...BLOCK_TYPES, ...CHANGES)),
    text: maybe(str()),
    source: maybe(dict(anything)),
    id: maybe(str()),
    tool_use_id: maybe(str()),
    name: maybe(str()),
    input: maybe(dict(anything)),
    content: maybe(union(str(), list(dict(anything)))),
    is_error: maybe(bool),
    tool_name: maybe(str()),
    thinking: maybe(str()),
    signature: maybe(str()),
    data: maybe(str()),
    tool: maybe(toolChange),
  },
  {
    after: [
      (checked, input) => {
        const type = String(checked.get('type'))
        const change = checked.get('tool')
        if (!CHANGES.includes(type)) return checked
        if (!isDict(change)) return valueError(`tool is required for ${type} blocks`, input)
        return type === 'tool_removal' && change.get('type') !== 'tool_reference'
          ? valueError('tool_removal only accepts a tool_reference', input)
          : checked
      },
    ],
  },
)

const content = union(str(), list(block))

const message = own(
  'AnthropicMessage',
  { role: required(literal('user', 'assistant', 'system')), content: required(content) },
  {
    after: [
      (checked, input) =>
        checked.get('role') === 'system' ? checked : (changesRefused(checked.get('content'), input) ?? checked),
    ],
  },
)

const toolChoice = own(
  'AnthropicToolChoice',
  {
    type: required(literal('auto', 'any', 'tool', 'none')),
    name: maybe(str()),
    disable_parallel_tool_use: maybe(bool),
  },
  {
    after: [
      (checked, input) =>
        checked.get('type') === 'tool' && !truthy(checked.get('name'))
          ? valueError("tool_choice.name is required when type is 'tool'", input)
          : checked,
    ],
  },
)

const outputConfig = own('AnthropicOutputConfig', {
  effort: maybe(literal('low', 'medium', 'high', 'xhigh', 'max')),
  format: maybe(
    own('AnthropicJsonOutputFormat', {
      schema: maybe(dict(anything)),
      type: withDefault(literal('json_schema'), 'json_schema'),
    }),
  ),
})

const display = maybe(literal('summarized', 'omitted', 'updates'))
const thinking = tagged('type', {
  enabled: own('AnthropicThinkingConfigEnabled', {
    type: required(literal('enabled')),
    budget_tokens: required(int({ ge: 1024n })),
    display,
  }),
  disabled: own('AnthropicThinkingConfigDisabled', { type: required(literal('disabled')) }),
  adaptive: own('AnthropicThinkingConfigAdaptive', { type: required(literal('adaptive')), display }),
})

const modelName = required(
  validated(str(), (value, input) => (value === '' ? valueError('Model is required', input) : value)),
)
const system = maybe(validated(content, (value, input) => changesRefused(value, input) ?? value))

const messagesSchema = own(
  'AnthropicMessagesRequest',
  {
    model: modelName,
    messages: required(list(message)),
    max_tokens: required(
      validated(int(), (value, input) =>
        isInt(value) && value <= 0 ? valueError('max_tokens must be positive', input) : value,
      ),
    ),
    metadata: maybe(dict(anything)),
    output_config: maybe(outputConfig),
    thinking: maybe(thinking),
    stop_sequences: maybe(list(str(), { maxLength: 4 })),
    stream: withDefault(nullable(bool), false),
    system,
    temperature: maybe(float),
    tool_choice: maybe(toolChoice),
    tools: maybe(list(tool)),
    top_k: maybe(int()),
    top_p: maybe(float),
    mm_payload: withDefault(literal('tensors', 'none'), 'tensors'),
    return_mm_kwargs: maybe(bool),
    cache_salt: maybe(str({ minLength: 1, maxLength: 1024 })),
    watermarking: maybe(bool),
    kv_transfer_params: maybe(dict(anything)),
    ec_transfer_params: maybe(dict(anything)),
    vllm_xargs: xargs,
    chat_template_kwargs: maybe(dict(anything)),
  },
  {
    after: [
      (checked, input) => {
        const budget = checked.get('thinking')
        const tokens = isDict(budget) ? budget.get('budget_tokens') : undefined
        const limit = checked.get('max_tokens')
        return isInt(tokens) && isInt(limit) && tokens >= limit
          ? valueError('thinking.budget_tokens must be less than max_tokens', input)
          : checked
      },
    ],
  },
)

const countSchema = own('AnthropicCountTokensRequest', {
  model: modelName,
  messages: required(list(message)),
  output_config: maybe(outputConfig),
  system,
  thinking: maybe(thinking),
  tool_choice: maybe(toolChoice),
  tools: maybe(list(tool)),
  chat_template_kwargs: maybe(dict(anything)),
})

/** `POST /v1/messages`, validated: the fields as sent, with their defaults. */
// follows vllm/entrypoints/anthropic/protocol.py
export const messagesRequest = requestModel('AnthropicMessagesRequest', messagesSchema, (fields) => fields)

/** `POST /v1/messages/count_tokens`, validated. */
export const countTokensRequest = requestModel('AnthropicCountTokensRequest', countSchema, (fields) => fields)

function changesRefused(blocks: PyValue | undefined, input: PyValue): Invalid | undefined {
  const types = isList(blocks) ? blocks.map((each) => (isDict(each) ? String(each.get('type')) : '')) : []
  const change = types.find((type) => CHANGES.includes(type))
  return change === undefined
    ? undefined
    : valueError(`${change} blocks are only allowed in messages with role "system"`, input)
}

/** A field with a validator of its own after it. */
function validated(schema: Schema, look: (value: PyValue, input: PyValue) => PyValue | Invalid): Schema {
  return {
    name: `function-after[${schema.name}]`,
    check: (input, state) => {
      const value = schema.check(input, state)
      return value instanceof Invalid ? value : look(value, input)
    },
  }
}

/** A schema without a type is one of an object. */
function objectSchema(schema: Schema): Schema {
  return validated(schema, (value) =>
    isDict(value) && !value.has('type') ? new Map<string, PyValue>([...value, ['type', 'object']]) : value,
  )
}
