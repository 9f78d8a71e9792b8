import { instanceOf } from '../../generation/structured/instance.ts'
import type { ChatRequest } from '../../protocol/chat.ts'
import type { ToolParam } from '../../protocol/generate.ts'
import { dumpsUnicode } from '../../python/dumps.ts'
import type { PyValue } from '../../python/value.ts'

/**
 * What the model is to say so that it calls a tool: where a call is forced, or where the last user names a tool that may be called.
 * Arguments fit the tool's schema. Undefined: it says what it likes.
 */
// follows the structural tag `hermes` of vllm/tool_parsers/structural_tag_registry.py
export function toolScript(request: ChatRequest): string | undefined {
  const tool = calledTool(request)
  return tool && scriptOf(tool)
}

function calledTool({ tools, toolChoice, messages }: ChatRequest): ToolParam | undefined {
  if (!tools || tools.length === 0 || toolChoice === undefined || toolChoice === 'none') return undefined
  if (typeof toolChoice === 'object') return tools.find(({ name }) => name === toolChoice.name)
  const last = messages.items.at(-1)
  const said = last?.get('role') === 'user' ? textOf(last.get('content')) : ''
  const named = tools.find(({ name }) => said.includes(name))
  return named ?? (toolChoice === 'required' ? tools[0] : undefined)
}

function textOf(content: PyValue | undefined): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: PyValue) => (part instanceof Map ? textOf(part.get('text')) : textOf(part))).join('\n')
}

function scriptOf({ name, parameters }: ToolParam): string {
  const call = new Map<string, PyValue>([
    ['name', name],
    ['arguments', instanceOf(parameters)],
  ])
  return `<tool_call>\n${dumpsUnicode(call)}\n</tool_call>`
}
