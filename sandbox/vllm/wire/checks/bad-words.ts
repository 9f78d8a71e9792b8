import { badRequest, type WireError } from '../errors.ts'
import { pyRepr } from '../python/text.ts'
import type { WireTokenizer } from '../serving.ts'

const MOST_BAD_WORDS = 128

/** Words must be tokens, and not too many. Each counts twice where a space before it makes another token of as many. */
// follows update_from_tokenizer of vllm/sampling_params.py
export function checkBadWords(words: readonly string[], tokenizer: WireTokenizer): void {
  const refusal = (message: string): WireError => badRequest(message, 'bad_words', pyRepr(words))
  const sequences: number[][] = []
  for (const word of words) {
    for (const prefix of ['', ' ']) {
      const ids = tokenizer.encode(prefix + word.trimStart(), { addSpecialTokens: false })
      if (ids.length === 0) {
        if (prefix === '') throw refusal('bad_words entries must tokenize to at least one token.')
        continue
      }
      const last = sequences.at(-1)
      if (prefix !== '' && (last === undefined || ids[0] === last[0] || ids.length !== last.length)) continue
      sequences.push(ids)
      if (sequences.length > MOST_BAD_WORDS)
        throw refusal(
          `Too many bad words after tokenization: ${sequences.length}. The max number is ${MOST_BAD_WORDS}.`,
        )
    }
  }
}
