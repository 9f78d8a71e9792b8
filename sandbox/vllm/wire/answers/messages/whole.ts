import { dumpsCompact, type Json } from '../../python/dumps.ts'
import { parsePythonJson } from '../../python/json-scanner.ts'
import type { ChatResult } from '../chat/whole.ts'
import { stopOf, usageOf } from './blocks.ts'

/** A chat's answer as a message of Anthropic's API. Nulls are dropped. */
// follows vllm/entrypoints/anthropic/serving.py messages_full_converter
export function wholeMessage(
  { id, model }: { readonly id: string; readonly model: string },
  result: ChatResult,
): string {
  const { message, finishReason, stopReason } = result.choices[0]!
  const called = message.calls.length > 0
  const stop = stopOf(finishReason, stopReason, { toolUsed: called, toolComplete: called })
  const blocks: Json[] = [
    ...(message.content ? [{ type: 'text', text: message.content }] : []),
    ...message.calls.map((call) => ({
      type: 'tool_use',
      id: call.id,
      name: call.name,
      input: parsePythonJson(call.arguments) as Json,
    })),
  ]
  const details = result.details
  const usage = usageOf({
    prompt_tokens: result.promptTokens,
    completion_tokens: result.completionTokens,
    ...(details
      ? { prompt_tokens_details: { cached_tokens: details.cached, created_cache_tokens: details.created ?? null } }
      : {}),
  })
  return dumpsCompact({
    id,
    type: 'message',
    role: 'assistant',
    content: blocks.length > 0 ? blocks : [{ type: 'text', text: '' }],
    model,
    ...(stop.stop_reason === null ? {} : { stop_reason: stop.stop_reason }),
    ...(stop.stop_sequence === null ? {} : { stop_sequence: stop.stop_sequence }),
    usage: { ...usage },
  })
}
