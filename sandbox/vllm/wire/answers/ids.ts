import type { RandomStream } from '../../../world/random.ts'

/** 16 hex digits: the low half of a random UUID, whose first digit is 8, 9, a or b. */
// follows vllm/utils/__init__.py random_uuid
export function randomUuid(random: RandomStream): string {
  const high = (0x8000_0000 + random.int(0x4000_0000)).toString(16)
  return high + random.int(0x1_0000_0000).toString(16).padStart(8, '0')
}

/** Of a tool call. */
// follows vllm/renderers/chat_utils.py make_tool_call_id
export const toolCallId = (random: RandomStream): string => `chatcmpl-tool-${randomUuid(random)}`

/** The part of a request's id after its prefix: the header (even an empty one), what the body asks for, or chance. */
// follows vllm/entrypoints/serve/engine/serving.py _base_request_id
export const baseRequestId = (
  headers: ReadonlyMap<string, string>,
  asked: string | null | undefined,
  random: RandomStream,
): string => headers.get('x-request-id') ?? asked ?? randomUuid(random)
