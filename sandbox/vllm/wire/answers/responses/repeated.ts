import type { Json } from '../../python/dumps.ts'
import { isDict, isList, type PyDict, type PyValue } from '../../python/value.ts'

// Fields of a request that its response repeats, with the nulls of what was left out.

/** These keys in this order, null where the dict has none. */
const withNulls = (fields: PyDict, ...names: readonly string[]): Json =>
  new Map(names.map((name) => [name, (fields.get(name) ?? null) as Json]))

export function toolsOf(request: PyDict): Json {
  const tools = request.get('tools')
  return isList(tools) ? tools.map(toolOf) : []
}

function toolOf(tool: PyValue): Json {
  if (!isDict(tool)) return tool as Json
  if (tool.get('type') === 'function')
    return withNulls(
      tool,
      ...['name', 'parameters', 'strict', 'type', 'allowed_callers', 'async', 'defer_loading', 'description'],
      'output_schema',
    )
  return tool.get('type') === 'web_search_preview'
    ? withNulls(tool, 'type', 'search_content_types', 'search_context_size', 'user_location')
    : (tool as Json)
}

export function choiceOf(request: PyDict): Json {
  const choice = request.get('tool_choice') ?? 'none'
  return isDict(choice) && choice.get('type') === 'function' ? withNulls(choice, 'name', 'type') : (choice as Json)
}

export function reasoningOf(request: PyDict): Json {
  const reasoning = request.get('reasoning')
  return isDict(reasoning) ? withNulls(reasoning, 'context', 'effort', 'generate_summary', 'mode', 'summary') : null
}

export function textOf(request: PyDict): Json {
  const text = request.get('text')
  if (!isDict(text)) return null
  const format = text.get('format')
  const schema = isDict(format) && format.get('type') === 'json_schema'
  return new Map<string, Json>([
    [
      'format',
      schema ? withNulls(format, 'name', 'schema', 'type', 'description', 'strict') : ((format ?? null) as Json),
    ],
    ['verbosity', (text.get('verbosity') ?? null) as Json],
  ])
}
