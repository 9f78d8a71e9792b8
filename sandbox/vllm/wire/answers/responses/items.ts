import type { TokenLogprobs } from '../../generation.ts'
import type { Json } from '../../python/dumps.ts'
import type { ToolAnswering } from '../chat/answering.ts'
import { parsedMessage } from '../chat/message.ts'
import { callItem, messageItem } from './response.ts'

/** How ids of items are made: `msg_…`, `fc_…`. */
export type NewId = (prefix: 'msg' | 'fc') => string

/** A whole output as items: its text, then its calls. Where no parser reads it, a text stands even if it is empty. */
// follows vllm/entrypoints/openai/responses/utils.py build_response_output_items
export function outputItems(
  text: string,
  logprobs: Json,
  tools: ToolAnswering | undefined,
  newId: NewId,
): readonly Json[] {
  if (!tools) return [text === '' ? emptyMessage(newId('msg')) : messageItem(newId('msg'), text, logprobs)]
  const { message } = parsedMessage(text, 'assistant', tools)
  return [
    ...(message.content ? [messageItem(newId('msg'), message.content, logprobs)] : []),
    ...message.calls.map((call) =>
      callItem({ id: newId('fc'), callId: call.id, name: call.name }, call.arguments, 'completed'),
    ),
  ]
}

const emptyMessage = (id: string): Json => ({
  id,
  content: [],
  role: 'assistant',
  status: 'completed',
  type: 'message',
  phase: null,
})

export interface ResponseLogprobs {
  readonly top: number
  readonly asTokenIds: boolean
}

export type Steps = readonly TokenLogprobs[]
