import type { TokenLogprobs } from '../../generation.ts'
import { characters } from '../../python/json-scanner.ts'
import { entriesOf, finite, type LogprobOptions, tokenText } from '../likely.ts'

/** A token of a prompt or an output, with what was likely in its place; null: nothing is known of the first token. */
export interface Step {
  readonly id: number
  readonly logprobs: TokenLogprobs | null
}

/**
 * The `logprobs` of a choice of a completion. `textOf` decodes one token alone, where nothing is known of its place. Offsets count
 * characters from `offset`; the offset after the last token comes back, for the next chunk.
 */
// follows vllm/entrypoints/openai/completion/serving.py _create_completion_logprobs
export function completionLogprobs(
  steps: readonly Step[],
  options: LogprobOptions,
  textOf: (id: number) => string,
  offset = 0,
): { readonly json: string; readonly next: number } {
  const offsets: number[] = []
  const tokens: string[] = []
  const probabilities: string[] = []
  const tops: string[] = []
  let at = offset
  for (const { id, logprobs } of steps) {
    const text = logprobs === null ? alone(id, options, textOf) : tokenText(logprobs.sampled, options.asTokenIds)
    offsets.push(at)
    tokens.push(JSON.stringify(text))
    probabilities.push(logprobs === null ? 'null' : options.float(finite(logprobs.sampled.logprob)))
    tops.push(logprobs === null ? 'null' : topOf(logprobs, options))
    at += characters(text)
  }
  const json = `{"text_offset":[${offsets}],"token_logprobs":[${probabilities}],"tokens":[${tokens}],"top_logprobs":[${tops}]}`
  return { json, next: at }
}

const alone = (id: number, { asTokenIds }: LogprobOptions, textOf: (id: number) => string): string =>
  asTokenIds ? `token_id:${id}` : textOf(id)

/** Tokens of the same text share one key: the place of the first, the value of the last. */
function topOf(step: TokenLogprobs, options: LogprobOptions): string {
  const entries = entriesOf(step)
  const listed = options.all || options.top === -1 ? entries : entries.slice(0, options.top + 1)
  const byText = new Map(
    listed.map((likely) => [tokenText(likely, options.asTokenIds), options.float(finite(likely.logprob))]),
  )
  return `{${[...byText].map(([text, value]) => `${JSON.stringify(text)}:${value}`).join(',')}}`
}
