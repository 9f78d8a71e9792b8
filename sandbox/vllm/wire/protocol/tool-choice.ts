import { badRequest } from '../errors.ts'
import { iterate, subscript } from '../python/errors.ts'
import { pyStr } from '../python/text.ts'
import { isDict, isList, type PyDict, type PyValue, truthy } from '../python/value.ts'
import { changed, type Look } from './before.ts'

/** Tools alone mean that the model may choose; a choice must fit the tools. */
// follows check_tool_usage of vllm/entrypoints/openai/chat_completion/protocol.py
export const checkToolUsage: Look = (body) => {
  const tools = body.get('tools') ?? null
  if (isList(tools) && tools.length === 0)
    throw badRequest(
      '`tools` must not be an empty array. Either provide at least one tool or omit the field entirely.',
      'tools',
    )
  if (!body.has('tool_choice')) return truthy(tools) ? changed(body, { tool_choice: 'auto' }) : body
  const choice = body.get('tool_choice') ?? null
  if (choice !== 'none' && choice !== null) checkChoice(choice, tools)
  return body
}

function checkChoice(choice: PyValue, tools: PyValue): void {
  if (tools === null) throw badRequest('When using `tool_choice`, `tools` must be set.', 'tool_choice')
  if (isDict(choice)) checkNamed(choice, tools)
  else if (choice !== 'auto' && choice !== 'required')
    throw badRequest(
      `Invalid value for \`tool_choice\`: ${pyStr(choice)}! Only named tools, "none", "auto" or "required" are supported.`,
      'tool_choice',
    )
}

const USAGE = 'Correct usage: `{"type": "function", "function": {"name": "my_function"}}`'

function checkNamed(choice: PyDict, tools: PyValue): void {
  const named = choice.get('function') ?? null
  if (!isDict(named))
    throw badRequest(
      `Invalid value for \`function\`: \`${pyStr(named)}\` in \`tool_choice\`! ${USAGE}`,
      'tool_choice.function',
    )
  const name = named.get('name')
  if (name === undefined)
    throw badRequest(
      `Expected field \`name\` in \`function\` in \`tool_choice\`! ${USAGE}`,
      'tool_choice.function.name',
    )
  if (typeof name !== 'string' || name === '')
    throw badRequest(
      `Invalid \`name\` in \`function\`: \`${pyStr(name)}\` in \`tool_choice\`! ${USAGE}`,
      'tool_choice.function.name',
    )
  const known = iterate(tools).some((tool) => subscript(subscript(tool, 'function'), 'name') === name)
  if (!known)
    throw badRequest('The tool specified in `tool_choice` does not match any of the specified `tools`', 'tool_choice')
}
