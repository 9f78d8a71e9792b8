import { dict, list, nullable, union } from '../pydantic/containers.ts'
import { LazyList, lazyList, readItems, readList } from '../pydantic/lazy-list.ts'
import { bool } from '../pydantic/numbers.ts'
import { Invalid, type LineError, type Schema } from '../pydantic/outcome.ts'
import { model, optional, required, typedDict, withDefault } from '../pydantic/records.ts'
import { anything, literal, member, str } from '../pydantic/scalars.ts'
import { isDict, isList, type PyDict, type PyList, type PyValue } from '../python/value.ts'
import { customPart, refusalPart, textPart, userPart } from './content-parts.ts'

/** Messages of a chat, validated but for what their content lists hold: that is checked when a template reads them. */
export interface ChatMessages {
  /** Dicts as sent, with keys in the order of the matching branch. */
  readonly items: readonly PyDict[]
  /** The messages, with their content lists read. Throws a WireError for a part no branch takes. */
  read(): readonly PyDict[]
}

export function chatMessages(messages: PyList): ChatMessages {
  const items = messages.filter(isDict)
  return { items, read: () => items.map(readContent) }
}

/** A message with its content list read. Throws a WireError for a part no branch takes. */
export function readContent(message: PyDict): PyDict {
  const content = message.get('content')
  return isList(content) ? new Map([...message, ['content', readList(content)]]) : message
}

const name = optional(str())
const textContent = union(str(), lazyList(textPart))

const plain = (title: string, role: string): Schema =>
  typedDict(title, { content: required(textContent), role: required(literal(role)), name })

const user = typedDict('ChatCompletionUserMessageParam', {
  content: required(union(str(), lazyList(userPart))),
  role: required(literal('user')),
  name,
})

const functionCall = (title: string): Schema => typedDict(title, { arguments: required(str()), name: required(str()) })

const toolCall = typedDict('ChatCompletionMessageFunctionToolCallParam', {
  id: required(str()),
  function: required(functionCall('Function')),
  type: required(literal('function')),
})

const customToolCall = typedDict('ChatCompletionMessageCustomToolCallParam', {
  id: required(str()),
  custom: required(typedDict('Custom', { input: required(str()), name: required(str()) })),
  type: required(literal('custom')),
})

const assistant = typedDict('ChatCompletionAssistantMessageParam', {
  role: required(literal('assistant')),
  audio: optional(nullable(typedDict('Audio', { id: required(str()) }))),
  content: optional(nullable(union(str(), lazyList(union(textPart, refusalPart))))),
  function_call: optional(nullable(functionCall('FunctionCall'))),
  name,
  refusal: optional(nullable(str())),
  tool_calls: optional(lazyList(union(toolCall, customToolCall))),
})

const tool = typedDict('ChatCompletionToolMessageParam', {
  content: required(textContent),
  role: required(literal('tool')),
  tool_call_id: required(str()),
})

const functionResult = typedDict('ChatCompletionFunctionMessageParam', {
  content: required(nullable(str())),
  name: required(str()),
  role: required(literal('function')),
})

const functionTool = typedDict('ChatCompletionFunctionToolParam', {
  function: required(
    typedDict('FunctionDefinition', {
      name: required(str()),
      description: name,
      parameters: optional(dict(anything)),
      strict: optional(nullable(bool)),
    }),
  ),
  type: required(literal('function')),
})

const text = optional(nullable(str()))

/** A message with any role. */
const custom = typedDict('CustomChatCompletionMessageParam', {
  role: required(str()),
  content: optional(union(str(), list(customPart))),
  name,
  tool_call_id: text,
  tool_calls: optional(nullable(list(toolCall))),
  reasoning: text,
  tools: optional(nullable(list(functionTool))),
  task: text,
})

const harmonyText = withDefault(nullable(str()), null)

// follows openai_harmony/__init__.py
const harmony = model(
  'Message',
  {
    author: required(
      model(
        'Author',
        { role: required(member('user', 'assistant', 'system', 'developer', 'tool')), name: harmonyText },
        { extra: 'ignore' },
      ),
    ),
    content: withDefault(list(model('Content', {}, { extra: 'ignore' })), []),
    channel: harmonyText,
    recipient: harmonyText,
    content_type: harmonyText,
  },
  { extra: 'ignore' },
)

/** Messages of OpenAI's API, of any other role, and of Harmony, in the order in which vLLM tries them. */
// follows ChatCompletionMessageParam of vllm/renderers/chat_utils.py
export const message = union(
  plain('ChatCompletionDeveloperMessageParam', 'developer'),
  plain('ChatCompletionSystemMessageParam', 'system'),
  user,
  assistant,
  tool,
  functionResult,
  custom,
  harmony,
)

export const messageList = list(message)

/** Reads tool calls that were left to be read: their errors count as those of the request. */
// follows _materialize_tool_calls_after of vllm/entrypoints/openai/chat_completion/protocol.py
export function readToolCalls(body: PyDict): PyDict | Invalid {
  const messages = body.get('messages')
  if (!isList(messages) || !messages.some((message) => lazyCalls(message) !== undefined)) return body
  const errors: LineError[] = []
  const read = messages.map((message): PyValue => {
    const calls = lazyCalls(message)
    if (calls === undefined || errors.length > 0) return message
    const items = readItems(calls)
    if (items instanceof Invalid) errors.push(...items.errors)
    return items instanceof Invalid ? message : new Map([...(message as PyDict), ['tool_calls', items]])
  })
  return errors.length > 0 ? new Invalid(errors) : new Map([...body, ['messages', read]])
}

function lazyCalls(message: PyValue): LazyList | undefined {
  const calls = isDict(message) ? message.get('tool_calls') : undefined
  return calls instanceof LazyList ? calls : undefined
}
