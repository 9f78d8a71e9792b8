import type { GenerationTimes } from '../generation.ts'
import type { WriteFloat } from './likely.ts'

export interface TokenCounts {
  readonly prompt: number
  readonly completion: number
}

/** Tokens of the prompt by where they came from, for `--enable-prompt-tokens-details`. */
export interface PromptDetails {
  readonly cached: number
  /** Left out: null in whole answers, as of completions. */
  readonly created?: number
}

const counts = ({ prompt, completion }: TokenCounts): string =>
  `"prompt_tokens":${prompt},"total_tokens":${prompt + completion},"completion_tokens":${completion}`

/** `usage` of a whole answer, nulls and all. */
export function wholeUsage(tokens: TokenCounts, details: PromptDetails | undefined): string {
  const about =
    details === undefined
      ? 'null'
      : `{"cached_tokens":${details.cached},"created_cache_tokens":${details.created ?? null},"multimodal_tokens":null}`
  return `{${counts(tokens)},"prompt_tokens_details":${about},"completion_tokens_details":null}`
}

/** `usage` of the last chunk of a stream, where nulls are dropped. */
export function lastUsage(tokens: TokenCounts, details: PromptDetails | undefined): string {
  if (details === undefined) return `{${counts(tokens)}}`
  const created = details.created === undefined ? '' : `,"created_cache_tokens":${details.created}`
  return `{${counts(tokens)},"prompt_tokens_details":{"cached_tokens":${details.cached}${created}}}`
}

/** `usage` of every chunk, where it was asked for. A chat says more: `"completion_tokens_details":null`. */
export const continuousUsage = (tokens: TokenCounts, chat: boolean): string =>
  `{${counts(tokens)}${chat ? ',"completion_tokens_details":null' : ''}}`

/** `metrics` of an answer. `nulls`: whether what is unknown is written. */
// follows vllm/entrypoints/generate/base/serving.py build_per_request_timing_metrics
export function requestMetrics(
  { arrivedAt, scheduledAt, firstTokenAt, lastTokenAt }: GenerationTimes,
  tokens: number,
  float: WriteFloat,
  nulls: boolean,
): string {
  const decoding = lastTokenAt - firstTokenAt
  const inference = lastTokenAt - scheduledAt
  const milliseconds = (us: number) => float(us / 1000)
  const fields: (readonly [string, string | undefined])[] = [
    ['time_to_first_token_ms', milliseconds(firstTokenAt - scheduledAt)],
    ['generation_time_ms', milliseconds(decoding)],
    ['queue_time_ms', milliseconds(scheduledAt - arrivedAt)],
    ['mean_itl_ms', tokens > 1 ? milliseconds(decoding / (tokens - 1)) : undefined],
    ['tokens_per_second', inference > 0 ? float((tokens / inference) * 1_000_000) : undefined],
    ['speculative_decoding', undefined],
  ]
  const written = fields.filter(([, value]) => nulls || value !== undefined)
  return `{${written.map(([name, value]) => `"${name}":${value ?? null}`).join(',')}}`
}
