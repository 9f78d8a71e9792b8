import { dumps } from '../../python/dumps.ts'
import { isDict, isList, type PyDict, type PyList, type PyValue, truthy } from '../../python/value.ts'
import type { Serving } from '../../serving.ts'
import { toolFieldsOf } from './tools.ts'

/** A validated request of Anthropic's API as the body of a chat. */
// follows vllm/entrypoints/anthropic/serving.py to_chat_completion_request
export function chatBodyOf(body: PyDict, serving: Serving): PyDict {
  const merge = mergesSystem(serving)
  const messages: PyDict[] = []
  addSystem(body, messages, merge)
  for (const message of dictsOf(body.get('messages'))) addMessage(message, messages, merge)
  const chat = new Map<string, PyValue>([
    ['model', body.get('model') ?? null],
    ['messages', messages],
  ])
  const copy = (from: string, to = from) => {
    const value = body.get(from)
    if (value !== undefined && value !== null) chat.set(to, value)
  }
  copy('max_tokens')
  copy('max_tokens', 'max_completion_tokens')
  copy('stop_sequences', 'stop')
  for (const name of ['temperature', 'top_p', 'top_k', 'cache_salt', 'vllm_xargs', 'chat_template_kwargs']) copy(name)
  if (truthy(body.get('stream'))) {
    chat.set('stream', true)
    chat.set('stream_options', dict({ include_usage: true, continuous_usage_stats: true }))
  }
  addOutput(body, chat)
  for (const [name, value] of toolFieldsOf(body)) chat.set(name, value)
  return chat
}

const dict = (fields: Readonly<Record<string, PyValue>>): PyDict => new Map(Object.entries(fields))
const dictsOf = (value: PyValue | undefined): PyDict[] => (isList(value) ? (value as PyList).filter(isDict) : [])
const BILLING_HEADER = 'x-anthropic-billing-header'

/** Whether the template wants all system messages first: told by a probe. */
// follows vllm/entrypoints/anthropic/serving.py _detect_merge_inline_system
function mergesSystem({ model }: Serving): boolean {
  const probe = ['system', 'user', 'system', 'user'].map((role) => ({ role, content: 't' }))
  try {
    model.template?.render(probe, { add_generation_prompt: false })
    return model.template === undefined
  } catch {
    return true
  }
}

function addSystem(body: PyDict, messages: PyDict[], merge: boolean): void {
  const system = body.get('system')
  const texts = typeof system === 'string' ? [system] : textBlocks(system)
  const inline = merge ? dictsOf(body.get('messages')).filter((message) => message.get('role') === 'system') : []
  const all = [...texts, ...inline.map((message) => systemText(message))].filter((text) => text !== '')
  if (all.length > 0) messages.push(dict({ role: 'system', content: all.join('') }))
}

const textBlocks = (blocks: PyValue | undefined): string[] =>
  dictsOf(blocks).flatMap((block) => {
    const text = block.get('text')
    return block.get('type') === 'text' && typeof text === 'string' && !text.startsWith(BILLING_HEADER) ? [text] : []
  })

function systemText(message: PyDict): string {
  const content = message.get('content')
  if (typeof content !== 'string') return textBlocks(content).join('')
  return content.startsWith(BILLING_HEADER) ? '' : content
}

function addMessage(message: PyDict, messages: PyDict[], merge: boolean): void {
  const role = message.get('role') as string
  if (role === 'system') {
    const text = merge ? '' : systemText(message)
    if (text !== '') messages.push(dict({ role, content: text }))
    return
  }
  const content = message.get('content')
  const chat = new Map<string, PyValue>([['role', role]])
  if (typeof content === 'string') chat.set('content', content)
  else addBlocks(role, dictsOf(content), chat, messages)
  if (role !== 'user' || chat.has('content')) messages.push(chat)
}

function addBlocks(role: string, blocks: readonly PyDict[], chat: Map<string, PyValue>, messages: PyDict[]): void {
  const parts: PyDict[] = []
  const calls: PyDict[] = []
  const reasoning: string[] = []
  for (const block of blocks) {
    const type = block.get('type')
    if (type === 'text' && truthy(block.get('text'))) parts.push(dict({ type, text: block.get('text')! }))
    else if (type === 'image' && isDict(block.get('source'))) parts.push(imagePart(block.get('source') as PyDict))
    else if (type === 'thinking' && typeof block.get('thinking') === 'string')
      reasoning.push(block.get('thinking') as string)
    else if (type === 'tool_use') calls.push(callOf(block))
    else if (type === 'tool_result' && role === 'user') addToolResult(block, messages)
    else if (type === 'tool_result') parts.push(dict({ type: 'text', text: `Tool result: ${resultText(block)}` }))
  }
  if (reasoning.length > 0) chat.set('reasoning', reasoning.join(''))
  if (calls.length > 0) chat.set('tool_calls', calls)
  const [only] = parts
  if (parts.length === 1 && only!.get('type') === 'text') chat.set('content', only!.get('text')!)
  else if (parts.length > 0) chat.set('content', parts)
}

const imagePart = (source: PyDict): PyDict => dict({ type: 'image_url', image_url: dict({ url: imageUrl(source) }) })

function imageUrl(source: PyDict): string {
  const text = (key: string, otherwise: string) => String(source.get(key) ?? otherwise)
  return source.get('type') === 'url'
    ? text('url', '')
    : `data:${text('media_type', 'image/jpeg')};base64,${text('data', '')}`
}

const callOf = (block: PyDict): PyDict =>
  dict({
    id: block.get('id') ?? 'call_0',
    type: 'function',
    function: dict({ name: block.get('name') ?? '', arguments: dumps((block.get('input') ?? dict({})) as PyDict) }),
  })

const resultText = (block: PyDict): string => {
  const content = block.get('content')
  return typeof content === 'string' ? content : ''
}

function addToolResult(block: PyDict, messages: PyDict[]): void {
  const content = block.get('content')
  const items = dictsOf(content)
  const texts = items.filter((item) => item.get('type') === 'text').map((item) => String(item.get('text') ?? ''))
  const text = typeof content === 'string' ? content : texts.join('\n')
  messages.push(dict({ role: 'tool', tool_call_id: block.get('tool_use_id') ?? '', content: text }))
  const images = items.filter((item) => item.get('type') === 'image' && isDict(item.get('source')))
  if (images.length === 0) return
  messages.push(dict({ role: 'user', content: images.map((item) => imagePart(item.get('source') as PyDict)) }))
}

/** Format and effort of the output. */
function addOutput(body: PyDict, chat: Map<string, PyValue>): void {
  const config = body.get('output_config')
  if (isDict(config)) {
    const format = config.get('format')
    const schema = isDict(format) ? format.get('schema') : undefined
    if (isDict(schema))
      chat.set('response_format', dict({ type: 'json_schema', json_schema: dict({ name: 'json_schema', schema }) }))
    if (typeof config.get('effort') === 'string') chat.set('reasoning_effort', config.get('effort')!)
  }
  const thinking = body.get('thinking')
  if (!isDict(thinking)) return
  if (thinking.get('type') === 'disabled') chat.set('reasoning_effort', 'low')
  if (thinking.get('type') === 'enabled') chat.set('thinking_token_budget', thinking.get('budget_tokens')!)
}
