import type { WireTokenizer } from '../serving.ts'

const REPLACEMENT = '\uFFFD'
/** No character has more bytes. */
const CONTEXT = 4

/**
 * A token's text as logprobs show it, after the tokens of `context` (the last four count): a piece of a character is empty until the
 * token that completes it, which has all of it.
 */
// follows _correct_decoded_token in vllm/v1/engine/logprobs.py
export function tokenText(tokenizer: WireTokenizer, id: number, context: readonly number[]): string {
  const alone = tokenizer.texts?.textFor(id) ?? aloneText(tokenizer, id)
  if (!alone.endsWith(REPLACEMENT)) return alone
  for (let count = 1; count <= Math.min(context.length, CONTEXT); count++) {
    const before = context.slice(-count)
    const whole = tokenizer.decode([...before, id])
    if (whole.endsWith(REPLACEMENT)) continue
    let clean = before.length
    while (clean > 0 && tokenizer.decode([before[clean - 1]!]).endsWith(REPLACEMENT)) clean--
    const prefix = clean > 0 ? tokenizer.decode(before.slice(0, clean)) : ''
    return whole.slice(commonLength(prefix, whole))
  }
  return ''
}

/** With the blanks that decoding takes off at the beginning. */
// follows convert_ids_list_to_tokens in vllm/tokenizers/detokenizer_utils.py
function aloneText(tokenizer: WireTokenizer, id: number): string {
  const text = tokenizer.decode([id])
  const { spaceMarker } = tokenizer
  if (spaceMarker === undefined) return text
  const entry = tokenizer.entry(id) ?? ''
  let markers = 0
  while (entry.startsWith(spaceMarker, markers * spaceMarker.length)) markers++
  const missing = markers === 0 ? 0 : markers - (text.length - text.replace(/^ +/, '').length)
  return missing > 0 ? ' '.repeat(missing) + text : text
}

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
