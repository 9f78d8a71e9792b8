import { badRequest } from '../../errors.ts'
import type { ChatRequest } from '../../protocol/chat.ts'
import { isDict, isList, type PyDict, type PyValue, truthy } from '../../python/value.ts'

/** Tools and their choice as fields of a chat. Without tools there are none: no chat would be taken with a choice alone. */
// follows vllm/entrypoints/anthropic/serving.py _convert_tool_choice and _convert_tools
export function toolFieldsOf(body: PyDict): ReadonlyMap<string, PyValue> {
  const fields = new Map<string, PyValue>()
  const tools = toolsOf(body)
  const choice = body.get('tool_choice')
  if (isDict(choice)) fields.set('parallel_tool_calls', !truthy(choice.get('disable_parallel_tool_use')))
  if (!tools || tools.length === 0) return fields
  fields.set('tool_choice', isDict(choice) ? choiceOf(choice) : 'auto')
  fields.set('tools', tools.map(chatTool))
  return fields
}

/** The choice where no tool is given: it stands all the same, for here nobody checks. */
export function choiceWithoutTools(body: PyDict): ChatRequest['toolChoice'] {
  const choice = body.get('tool_choice')
  if (!isDict(choice)) return toolsOf(body) ? 'auto' : undefined
  const type = choice.get('type')
  if (type === 'tool') return { name: String(choice.get('name')) }
  return type === 'any' ? 'required' : type === 'none' ? 'none' : 'auto'
}

function choiceOf(choice: PyDict): PyValue {
  const type = choice.get('type')
  if (type === 'any') return 'required'
  if (type !== 'tool') return type as string
  return new Map<string, PyValue>([
    ['type', 'function'],
    ['function', new Map([['name', choice.get('name')!]])],
  ])
}

/** The tools in effect at the end of the conversation: blocks of it may add some and take some away. */
// follows vllm/entrypoints/anthropic/serving.py _resolve_tools
function toolsOf(body: PyDict): readonly PyDict[] | undefined {
  const given = body.get('tools')
  const declared = isList(given) ? given.filter(isDict) : undefined
  const changes = changesOf(body)
  if (changes.length === 0) return declared
  const tools = new Map((declared ?? []).map((tool) => [String(tool.get('name')), tool]))
  const removed = new Set<string>()
  for (const block of changes) {
    const change = block.get('tool') as PyDict
    const definition = change.get('definition')
    const name = String((isDict(definition) ? definition : change).get('name'))
    if (isDict(definition)) tools.set(name, definition)
    else if (!tools.has(name))
      throw badRequest(`${String(block.get('type'))} references tool '${name}', which is not declared in tools`)
    if (block.get('type') === 'tool_removal') removed.add(name)
    else removed.delete(name)
  }
  return [...tools].filter(([name]) => !removed.has(name)).map(([, tool]) => tool)
}

function changesOf(body: PyDict): PyDict[] {
  const messages = body.get('messages')
  const contents = isList(messages)
    ? messages.map((message) => (isDict(message) ? message.get('content') : undefined))
    : []
  return contents
    .flatMap((content) => (isList(content) ? content.filter(isDict) : []))
    .filter(
      (block) => isDict(block.get('tool')) && ['tool_addition', 'tool_removal'].includes(String(block.get('type'))),
    )
}

function chatTool(tool: PyDict): PyDict {
  const called = new Map<string, PyValue>()
  for (const [from, to] of [
    ['name', 'name'],
    ['description', 'description'],
    ['input_schema', 'parameters'],
    ['strict', 'strict'],
  ] as const) {
    const value = tool.get(from)
    if (value !== undefined && value !== null) called.set(to, value)
  }
  return new Map<string, PyValue>([
    ['type', 'function'],
    ['function', called],
  ])
}
