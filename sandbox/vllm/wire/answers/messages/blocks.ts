import { parsePythonJson } from '../../python/json-scanner.ts'

/** Tokens as Anthropic counts them: what the cache gave or took is not among the input. */
export interface ChatUsage {
  readonly prompt_tokens: number
  readonly completion_tokens?: number | null
  readonly prompt_tokens_details?: {
    readonly cached_tokens?: number | null
    readonly created_cache_tokens?: number | null
  } | null
}

// follows vllm/entrypoints/anthropic/serving.py _build_anthropic_usage
export function usageOf(usage: ChatUsage | null | undefined): Readonly<Record<string, number>> {
  if (!usage) return { input_tokens: 0, output_tokens: 0 }
  const read = usage.prompt_tokens_details?.cached_tokens ?? undefined
  const created = usage.prompt_tokens_details?.created_cache_tokens ?? undefined
  return {
    input_tokens: Math.max(0, usage.prompt_tokens - (read ?? 0) - (created ?? 0)),
    output_tokens: usage.completion_tokens ?? 0,
    ...(created === undefined ? {} : { cache_creation_input_tokens: created }),
    ...(read === undefined ? {} : { cache_read_input_tokens: read }),
  }
}

export interface Stop {
  readonly stop_reason: 'end_turn' | 'max_tokens' | 'stop_sequence' | 'tool_use' | null
  readonly stop_sequence: string | null
}

/** Why the message ended. `toolComplete`: a call stands in it whole. */
// follows vllm/entrypoints/anthropic/serving.py _to_anthropic_stop_reason
export function stopOf(
  finishReason: string,
  stopReason: string | number | null,
  { toolUsed, toolComplete }: { readonly toolUsed: boolean; readonly toolComplete: boolean },
): Stop {
  if (finishReason === 'length') return { stop_reason: 'max_tokens', stop_sequence: null }
  if (finishReason !== 'stop' && finishReason !== 'tool_calls') return { stop_reason: null, stop_sequence: null }
  if (toolComplete) return { stop_reason: 'tool_use', stop_sequence: null }
  if (typeof stopReason === 'string') return { stop_reason: 'stop_sequence', stop_sequence: stopReason }
  const called = finishReason === 'tool_calls' || toolUsed
  return { stop_reason: called ? 'tool_use' : 'end_turn', stop_sequence: null }
}

export function isJson(text: string): boolean {
  try {
    parsePythonJson(text)
    return true
  } catch {
    return false
  }
}
