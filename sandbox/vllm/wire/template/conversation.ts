import { badRequest, WireError } from '../errors.ts'

export type Json = Record<string, unknown>

/** A message, its content as one text. */
export interface ConversationMessage {
  readonly role: string
  readonly content: string
}

/** A message as templates see it. */
export interface TemplateMessage extends Json {
  role: string
  content: string | Json[]
}

const PART_TYPES = [
  ...[
    'audio_embeds',
    'audio_url',
    'image_embeds',
    'image_pil',
    'image_url',
    'input_audio',
    'input_image',
    'input_text',
  ],
  ...['output_text', 'prompt_embeds', 'refusal', 'text', 'thinking', 'tool_reference', 'video_embeds', 'video_url'],
]
/** What of a part is its text. */
const TEXT_OF: Readonly<Record<string, string>> = {
  text: 'text',
  input_text: 'text',
  output_text: 'text',
  refusal: 'refusal',
  thinking: 'thinking',
  tool_reference: 'name',
}
const MEDIA = ['image_url', 'image_pil', 'image_embeds', 'audio_embeds', 'video_embeds', 'prompt_embeds', 'audio_url']
const MEDIA_KEYS = [...MEDIA, 'input_audio', 'video_url']
/** Of parts of all kinds; others are kept for the template. */
const PART_FIELDS = new Set([
  ...PART_TYPES,
  ...['type', 'uuid', 'name', 'detail', 'file', 'data', 'closed', 'file_id', 'image_url', 'input_audio'],
])
const BILLING_HEADER = 'x-anthropic-billing-header'

/**
 * The messages of a request as the model's template gets them: parts joined to one text, or kept (`openai`); arguments of tool calls as
 * objects. Throws a WireError for parts this model cannot take; `modelName` is who says so.
 */
// follows parse_chat_messages in vllm/renderers/chat_utils.py
export function conversationOf(
  messages: readonly unknown[],
  format: 'string' | 'openai',
  modelName: string,
): TemplateMessage[] {
  return messages.map((message) => oneOf(message as Json, format, modelName))
}

function oneOf(message: Json, format: 'string' | 'openai', modelName: string): TemplateMessage {
  const role = String(message['role'])
  const parts = partsOf(message['content'])
  const kept = (role === 'system' ? withoutBilling(parts) : parts).flatMap((part) => partOf(part, format, modelName))
  const content = format === 'openai' ? (kept as Json[]) : (kept as string[]).join('\n')
  const parsed: TemplateMessage = { role, content }
  if (role === 'assistant') addAssistant(message, parsed)
  if (role === 'tool') addTool(message, parsed)
  for (const key of ['name', 'task']) if (typeof message[key] === 'string') parsed[key] = message[key]
  if (role === 'developer') parsed['tools'] = message['tools'] ?? null
  return parsed
}

function partsOf(content: unknown): readonly unknown[] {
  if (content === null || content === undefined) return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return Array.isArray(content) ? content : Object.keys(content as Json)
}

/** An empty text is dropped. */
function partOf(part: unknown, format: 'string' | 'openai', modelName: string): (string | Json)[] {
  const [type, text, extra] = typeof part === 'string' ? ['text', part, {}] : readPart(part as Json)
  if (text === null || text === undefined || text === '')
    return format === 'openai' && text === '' ? [textPart('')] : []
  if (!(type in TEXT_OF)) throw new WireError(400, 'BadRequestError', `${modelName} is not a multimodal model`)
  if (format === 'string') return [String(text)]
  if (type === 'tool_reference') return [{ type, name: text }]
  return [{ ...textPart(String(text)), ...extra }]
}

const textPart = (text: string): Json => ({ type: 'text', text })

/** Its type, its content, and fields no part has. */
function readPart(part: Json): [type: string, content: unknown, extra: Json] {
  const { type } = part
  const uuid = part['uuid'] ?? null
  const extra = Object.fromEntries(Object.entries(part).filter(([key]) => !PART_FIELDS.has(key)))
  if (typeof type === 'string' && PART_TYPES.includes(type) && uuid === null)
    return type in TEXT_OF ? [type, part[TEXT_OF[type]!] ?? null, extra] : [type, part[type] ?? type, extra]
  if (type === undefined || type === null || uuid !== null) {
    const media = MEDIA_KEYS.find((key) => key in part)
    if (media) return [media, part[media] ?? media, extra]
    if ('tool_reference' in part) return ['tool_reference', part['name'] ?? null, extra]
    throw badRequest("Missing 'type' field in multimodal part.", 'type')
  }
  if (typeof type !== 'string') throw badRequest("Invalid 'type' field in multimodal part.", 'type')
  const supported = PART_TYPES.join(', ')
  throw badRequest(`Unsupported chat content part type: '${type}'. Supported types: ${supported}.`, 'type', type)
}

/** A client writes a line of its own into system messages that changes with every request. */
function withoutBilling(parts: readonly unknown[]): unknown[] {
  return parts.flatMap((part) => {
    const text =
      typeof part === 'string' ? part : (part as Json)['type'] === 'text' ? (part as Json)['text'] : undefined
    if (typeof text !== 'string' || !text.startsWith(BILLING_HEADER)) return [part]
    const newline = text.indexOf('\n')
    const rest = newline < 0 ? '' : text.slice(newline + 1)
    if (rest === '') return []
    return [typeof part === 'string' ? rest : { ...(part as Json), text: rest }]
  })
}

function addAssistant(message: Json, parsed: TemplateMessage): void {
  const calls = message['tool_calls']
  if (Array.isArray(calls) && calls.length > 0) parsed['tool_calls'] = calls.map(toolCallOf)
  const reasoning = message['reasoning'] ?? message['reasoning_content']
  if (reasoning !== null && reasoning !== undefined) {
    parsed['reasoning'] = reasoning
    parsed['reasoning_content'] = reasoning
  }
}

/** Arguments as an object; an empty one where they are none. */
function toolCallOf(call: unknown): Json {
  if (call === null || typeof call !== 'object' || Array.isArray(call))
    throw badRequest('assistant tool_calls entries must be objects.', 'tool_calls')
  const { type = 'function', function: named } = call as Json
  if (type !== 'function' || named === null || typeof named !== 'object')
    throw badRequest("chat completions only support assistant tool_calls of type 'function'.", 'tool_calls')
  return { ...(call as Json), function: { ...(named as Json), arguments: argumentsOf((named as Json)['arguments']) } }
}

function argumentsOf(given: unknown): Json {
  let parsed = given
  if (typeof given === 'string') {
    try {
      parsed = JSON.parse(given)
    } catch {
      return {}
    }
  }
  return parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed) ? (parsed as Json) : {}
}

/** Texts of a tool's answer become one, whatever the format. */
function addTool(message: Json, parsed: TemplateMessage): void {
  if ('tool_call_id' in message) parsed['tool_call_id'] = message['tool_call_id']
  const { content } = parsed
  if (!Array.isArray(content) || content.some(({ type }) => type !== 'text')) return
  parsed.content = content.map(({ text }) => String(text ?? '')).join('\n')
}

/** For templates that know no developer: its messages are system messages, and all of those one at the beginning. */
// follows _convert_developer_to_system and _consolidate_system_messages in vllm/renderers/hf.py
export function withoutDeveloper(conversation: readonly TemplateMessage[]): TemplateMessage[] {
  const converted = conversation.map((message) => {
    if (message.role !== 'developer') return message
    const { tools: _, ...rest } = message
    return { ...rest, role: 'system' } as TemplateMessage
  })
  const isSystem = ({ role }: TemplateMessage) => role === 'system'
  if (!converted.some((message, i) => i > 0 && isSystem(message))) return converted
  const texts = converted.filter(isSystem).map(({ content }) => textOf(content))
  const merged = { role: 'system', content: texts.filter((text) => text !== '').join('\n\n') }
  return [merged, ...converted.filter((message) => !isSystem(message))]
}

const textOf = (content: string | readonly Json[]): string =>
  typeof content === 'string' ? content : content.flatMap(({ text }) => (text === undefined ? [] : [text])).join('\n')
