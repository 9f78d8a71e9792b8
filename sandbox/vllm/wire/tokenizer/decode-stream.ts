import type { WireTokenizer } from '../serving.ts'
import { textOfPieces } from './byte-level.ts'

const REPLACEMENT = '\uFFFD'
/** Tokens of the prompt that are looked at first: enough for any character cut in two. */
const TAIL = 8

/** Tokens to text one after another. What is no whole character yet is held back until it is. */
export interface DecodeStream {
  /** The text that this token completes; empty where there is none. */
  step(id: number): string
}

/**
 * A stream that goes on after a prompt. As upstream: where the prompt ends within a character, the first text has the prompt before it.
 */
// follows step_decode_stream in tokenizers/src/tokenizer/mod.rs of huggingface/tokenizers
export function decodeStream(
  tokenizer: WireTokenizer,
  promptIds: readonly number[],
  skipSpecialTokens: boolean,
): DecodeStream {
  const tail = tailOf(tokenizer, promptIds, skipSpecialTokens)
  return tokenizer.texts
    ? new ByteStream(tokenizer, tokenizer.texts, tail, skipSpecialTokens)
    : new WindowStream(tokenizer, tail, skipSpecialTokens)
}

/** As much of the prompt as matters: its end, where that is text; all of it where it ends within a character. */
function tailOf(
  tokenizer: WireTokenizer,
  promptIds: readonly number[],
  skipSpecialTokens: boolean,
): { readonly ids: readonly number[]; readonly clean: boolean } {
  for (let length = TAIL; ; length *= 4) {
    const ids = promptIds.slice(-length)
    const whole = ids.length === promptIds.length
    const text = tokenizer.decode(ids, { skipSpecialTokens })
    const clean = !text.endsWith(REPLACEMENT)
    if (whole || (clean && text !== '')) return clean ? { ids, clean } : { ids: promptIds, clean }
  }
}

/** Of a vocabulary of bytes: only bytes that are no whole characters yet are kept. */
class ByteStream implements DecodeStream {
  private readonly tokenizer: WireTokenizer
  private readonly texts: NonNullable<WireTokenizer['texts']>
  private readonly skipSpecialTokens: boolean
  private pending: Uint8Array[]

  constructor(
    tokenizer: WireTokenizer,
    texts: NonNullable<WireTokenizer['texts']>,
    { ids, clean }: { readonly ids: readonly number[]; readonly clean: boolean },
    skipSpecialTokens: boolean,
  ) {
    this.tokenizer = tokenizer
    this.texts = texts
    this.skipSpecialTokens = skipSpecialTokens
    const shown = clean ? [] : ids.filter((id) => !(skipSpecialTokens && tokenizer.isSpecial(id)))
    this.pending = shown.map((id) => texts.bytesFor(id))
  }

  step(id: number): string {
    if (this.skipSpecialTokens && this.tokenizer.isSpecial(id)) return ''
    if (this.pending.length === 0) {
      const text = this.texts.textFor(id)
      if (text !== null) return text
    }
    this.pending.push(this.texts.bytesFor(id))
    const text = textOfPieces(this.pending)
    if (text.endsWith(REPLACEMENT)) return ''
    this.pending = []
    return text
  }
}

/** What a token says after another one, and alone. */
type Pairs = Map<number, { readonly text: string; readonly alone: string }>

const PAIR = 2 ** 24
const PAIRS_MAX = 200_000
const pairs = new WeakMap<WireTokenizer, readonly [shown: Pairs, skipped: Pairs]>()

/** Kept for all streams of a tokenizer: the same words come again and again. */
function pairsOf(tokenizer: WireTokenizer, skipSpecialTokens: boolean): Pairs {
  const kept = pairs.get(tokenizer) ?? [new Map(), new Map()]
  pairs.set(tokenizer, kept)
  return kept[skipSpecialTokens ? 1 : 0]!
}

/** Of any other vocabulary: what the last tokens decode to with and without the new one. */
class WindowStream implements DecodeStream {
  private readonly tokenizer: WireTokenizer
  private readonly skipSpecialTokens: boolean
  private ids: number[]
  private prefix = ''
  private prefixLength = 0
  private readonly known: Pairs

  constructor(tokenizer: WireTokenizer, { ids }: { readonly ids: readonly number[] }, skipSpecialTokens: boolean) {
    this.tokenizer = tokenizer
    this.skipSpecialTokens = skipSpecialTokens
    this.ids = [...ids]
    this.known = pairsOf(tokenizer, skipSpecialTokens)
  }

  step(id: number): string {
    const last = this.ids.length === 1 && this.prefixLength === 1 ? this.ids[0]! : undefined
    if (last === undefined) return this.work(id)
    const pair = last * PAIR + id
    const known = this.known.get(pair)
    if (known !== undefined) {
      this.ids[0] = id
      this.prefix = known.alone
      return known.text
    }
    const text = this.work(id)
    if (text !== '' && this.ids.length === 1 && this.prefixLength === 1) {
      if (this.known.size >= PAIRS_MAX) this.known.clear()
      this.known.set(pair, { text, alone: this.prefix })
    }
    return text
  }

  private work(id: number): string {
    if (this.prefix === '' && this.ids.length > 0) {
      const prefix = this.decode(this.ids)
      if (!prefix.endsWith(REPLACEMENT)) {
        this.prefix = prefix
        this.prefixLength = this.ids.length
      }
    }
    this.ids.push(id)
    const text = this.decode(this.ids)
    if (text.length <= this.prefix.length || text.endsWith(REPLACEMENT)) return ''
    if (!text.startsWith(this.prefix)) return this.restart(id)
    const fresh = text.slice(this.prefix.length)
    const { prefixLength } = this
    this.prefixLength = this.ids.length - prefixLength
    this.ids = this.ids.slice(prefixLength)
    this.prefix = this.decode(this.ids)
    return fresh
  }

  /** What was decoded changed by what came after it: begin anew with this token. */
  // follows _protected_step in vllm/v1/engine/detokenizer.py
  private restart(id: number): string {
    this.ids = []
    this.prefix = ''
    this.prefixLength = 0
    this.ids.push(id)
    const text = this.decode(this.ids)
    if (text === '' || text.endsWith(REPLACEMENT)) return ''
    this.prefixLength = this.ids.length
    this.ids = [id]
    this.prefix = text
    return text
  }

  private decode(ids: readonly number[]): string {
    return this.tokenizer.decode(ids, { skipSpecialTokens: this.skipSpecialTokens })
  }
}
