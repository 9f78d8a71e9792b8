import type { ToolCall } from '../tools/parser.ts'
import type { ToolAnswering } from './answering.ts'

/** The message of a choice. */
export interface ChatMessage {
  readonly role: string
  readonly content: string | null
  readonly calls: readonly (ToolCall & { readonly id: string })[]
}

/** The message that an output makes. `called`: it holds calls a client did not force. */
// follows vllm/parser/abstract_parser.py _extract_tool_calls and chat_completion_full_generator
export function parsedMessage(
  text: string,
  role: string,
  tools: ToolAnswering | undefined,
): { readonly message: ChatMessage; readonly called: boolean } {
  const plain = { role, content: text, calls: [] }
  if (!tools || tools.choice === 'none') return { message: plain, called: false }
  const forced = tools.choice === 'required' || tools.choice === 'named'
  const found = tools.parser().whole(text)
  if (!found) return { message: forced && text.trim() === '' ? { ...plain, content: '' } : plain, called: false }
  const before = found.content?.trim() ? found.content : null
  if (tools.choice === 'unset') return { message: { role, content: before, calls: [] }, called: false }
  const calls = found.calls.map((call) => ({ ...call, id: tools.newId() }))
  return {
    message: {
      role,
      content: forced ? (before ?? '') : before,
      calls: tools.parallel ? calls : calls.slice(0, 1),
    },
    called: tools.choice === 'auto' && calls.length > 0,
  }
}

/** `tool_calls` stands only where there are some. */
// follows vllm/entrypoints/openai/chat_completion/protocol.py ChatMessage
export function messageJson({ role, content, calls }: ChatMessage): string {
  const told = calls.length === 0 ? '' : `"tool_calls":[${calls.map(callJson).join(',')}],`
  return (
    `{"role":${JSON.stringify(role)},"content":${JSON.stringify(content)},"refusal":null,"annotations":null,"audio":null,` +
    `"function_call":null,${told}"reasoning":null}`
  )
}

const callJson = ({ id, name, arguments: given }: ToolCall & { readonly id: string }): string =>
  `{"id":${JSON.stringify(id)},"type":"function","function":{"name":${JSON.stringify(name)},"arguments":${JSON.stringify(given)}}}`
