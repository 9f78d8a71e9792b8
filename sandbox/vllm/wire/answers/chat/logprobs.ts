import type { Likely, TokenLogprobs } from '../../generation.ts'
import { entriesOf, finite, type LogprobOptions, tokenText } from '../likely.ts'

/** The `logprobs` of a choice of a chat, whole or of one chunk. */
// follows vllm/entrypoints/openai/chat_completion/serving.py _create_chat_logprobs
export const chatLogprobs = (steps: readonly TokenLogprobs[], options: LogprobOptions): string =>
  `{"content":[${steps.map((step) => content(step, options)).join(',')}]}`

function content(step: TokenLogprobs, options: LogprobOptions): string {
  const { sampled } = step
  const entries = entriesOf(step)
  const listed = options.all || options.top === -1 ? entries : entries.slice(0, options.top)
  const top = listed.map((likely) => `{${entry(likely, options, tokenText(likely, options.asTokenIds))}}`)
  return `{${entry(sampled, options, sampled.text)},"top_logprobs":[${top.join(',')}]}`
}

/** The bytes of an outer entry stay those of its text, whatever stands for the token. */
function entry(likely: Likely, options: LogprobOptions, bytesOf: string): string {
  const token = JSON.stringify(tokenText(likely, options.asTokenIds))
  return `"token":${token},"logprob":${options.float(finite(likely.logprob))},"bytes":[${utf8.encode(bytesOf).join(',')}]`
}

const utf8 = new TextEncoder()
