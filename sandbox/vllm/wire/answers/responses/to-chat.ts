import { isDict, isList, type PyDict, type PyValue } from '../../python/value.ts'

const dict = (fields: Readonly<Record<string, PyValue>>): PyDict => new Map(Object.entries(fields))

/** A validated request of the Responses API as the body of a chat. */
// follows vllm/entrypoints/openai/responses/utils.py construct_input_messages
export function chatBodyOf(request: PyDict): PyDict {
  const chat = new Map<string, PyValue>([['messages', messagesOf(request)]])
  for (const name of COPIED) {
    const value = request.get(name)
    if (value !== undefined && value !== null) chat.set(name, value)
  }
  const tokens = request.get('max_output_tokens')
  if (tokens !== undefined && tokens !== null) chat.set('max_tokens', tokens)
  if (wantsLogprobs(request)) {
    chat.set('logprobs', true)
    chat.set('top_logprobs', request.get('top_logprobs') ?? 0)
  }
  const format = formatOf(request)
  if (format) chat.set('response_format', format)
  // an empty text is none here
  if (chat.get('stop') === '') chat.delete('stop')
  addTools(request, chat)
  const reasoning = request.get('reasoning')
  const effort = isDict(reasoning) ? reasoning.get('effort') : undefined
  if (typeof effort === 'string') chat.set('reasoning_effort', effort)
  return chat
}

export function wantsLogprobs(request: PyDict): boolean {
  const include = request.get('include')
  return isList(include) && include.includes('message.output_text.logprobs')
}

const COPIED = [
  ...['model', 'logit_bias', 'temperature', 'top_p', 'top_k', 'min_p', 'skip_special_tokens', 'priority', 'cache_salt'],
  ...['include_stop_str_in_output', 'presence_penalty', 'frequency_penalty', 'repetition_penalty', 'seed', 'stop'],
  ...['stop_token_ids', 'ignore_eos', 'structured_outputs', 'chat_template_kwargs', 'include_reasoning', 'vllm_xargs'],
]

function messagesOf(request: PyDict): PyDict[] {
  const instructions = request.get('instructions')
  const system = instructions ? [dict({ role: 'system', content: instructions })] : []
  const input = request.get('input')
  if (typeof input === 'string') return [...system, dict({ role: 'user', content: input })]
  return [...system, ...(isList(input) ? input.filter(isDict) : []).flatMap(messageOf)]
}

/** Reasoning is left out: its text is no part of what models here are asked. */
function messageOf(item: PyDict): PyDict[] {
  const type = item.get('type')
  if (type === 'reasoning') return []
  if (type === 'function_call')
    return [
      dict({
        role: 'assistant',
        tool_calls: [
          dict({
            id: item.get('call_id') ?? '',
            type: 'function',
            function: dict({ name: item.get('name') ?? '', arguments: item.get('arguments') ?? '{}' }),
          }),
        ],
      }),
    ]
  if (type === 'function_call_output')
    return [dict({ role: 'tool', tool_call_id: item.get('call_id') ?? '', content: item.get('output') ?? '' })]
  const content = item.get('content')
  const message = new Map<string, PyValue>([['role', item.get('role') ?? null]])
  if (content !== undefined) message.set('content', isList(content) ? content.map(partOf) : content)
  return [message]
}

function partOf(part: PyValue): PyValue {
  if (!isDict(part)) return part
  const type = part.get('type')
  if (type === 'input_text' || type === 'output_text') return dict({ type: 'text', text: part.get('text') ?? '' })
  if (type === 'input_image') return dict({ type: 'image_url', image_url: dict({ url: part.get('image_url') ?? '' }) })
  return part
}

/** Functions only: tools of other kinds are for servers that have them. */
function addTools(request: PyDict, chat: Map<string, PyValue>): void {
  const given = request.get('tools')
  const functions = (isList(given) ? given.filter(isDict) : []).filter((tool) => tool.get('type') === 'function')
  const choice = request.get('tool_choice')
  if (functions.length === 0) return
  chat.set('tools', functions.map(chatTool))
  chat.set('tool_choice', isDict(choice) ? namedChoice(choice) : (choice ?? 'auto'))
  const parallel = request.get('parallel_tool_calls')
  if (typeof parallel === 'boolean') chat.set('parallel_tool_calls', parallel)
}

const namedChoice = (choice: PyDict): PyDict =>
  dict({ type: 'function', function: dict({ name: choice.get('name') ?? '' }) })

const chatTool = (tool: PyDict): PyDict =>
  dict({
    type: 'function',
    function: new Map(
      ['name', 'description', 'parameters', 'strict'].flatMap((name) => {
        const value = tool.get(name)
        return value === undefined || value === null ? [] : [[name, value] as const]
      }),
    ),
  })

function formatOf(request: PyDict): PyDict | undefined {
  const text = request.get('text')
  const format = isDict(text) ? text.get('format') : undefined
  if (!isDict(format)) return undefined
  if (format.get('type') === 'json_object') return dict({ type: 'json_object' })
  const schema = format.get('schema')
  if (format.get('type') !== 'json_schema' || !isDict(schema)) return undefined
  return dict({ type: 'json_schema', json_schema: dict({ name: format.get('name') ?? 'schema', schema }) })
}
