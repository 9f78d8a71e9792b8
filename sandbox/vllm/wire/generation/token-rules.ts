import type { SamplingParams } from '../generation.ts'
import type { WireTokenizer } from '../serving.ts'
import { mix, pick, share } from './hash.ts'
import { type Prose, tokensOfText } from './prose.ts'

/** By how much the token that would come is ahead of the rest, in logits. */
const MARGIN_MIN = 0.5
const MARGIN_MAX = 12
const TRIES = 64

/** Which tokens a request wants, and which it forbids, at each place of its output. */
export interface TokenRules {
  /** What comes in the place of `natural` as the token after `before`. */
  choose(natural: number, before: readonly number[]): number
}

/** None, where a request takes every token as it comes. */
export function tokenRules(
  params: SamplingParams,
  tokenizer: WireTokenizer,
  prose: Prose,
  seed: number,
): TokenRules | undefined {
  const { logitBias, allowedTokenIds, badWords, minTokens, stopTokenIds } = params
  const plain = !logitBias?.size && !allowedTokenIds && badWords.length === 0
  return plain && (minTokens === 0 || stopTokenIds.length === 0) ? undefined : new Rules(params, tokenizer, prose, seed)
}

class Rules implements TokenRules {
  private readonly params: SamplingParams
  private readonly eos: number | undefined
  private readonly prose: Prose
  private readonly seed: number
  private readonly allowed: ReadonlySet<number> | undefined
  private readonly forbidden: readonly (readonly number[])[]

  constructor(params: SamplingParams, tokenizer: WireTokenizer, prose: Prose, seed: number) {
    this.params = params
    this.eos = tokenizer.eosTokenId
    this.prose = prose
    this.seed = seed
    this.allowed = params.allowedTokenIds && new Set(params.allowedTokenIds)
    this.forbidden = params.badWords.flatMap((word) => spellings(tokenizer, word))
  }

  choose(natural: number, before: readonly number[]): number {
    const hash = mix(this.seed, before.length)
    const wanted = this.wanted(hash, before)
    if (wanted !== undefined) return wanted
    if (!this.isBanned(natural, before, hash)) return natural
    return this.another(natural, before, hash)
  }

  /** The one whose bias is larger than what it is behind by. */
  private wanted(hash: number, before: readonly number[]): number | undefined {
    let best: number | undefined
    let most = marginOf(hash)
    for (const [id, bias] of this.params.logitBias ?? []) {
      if (bias <= most || this.isBanned(id, before, hash)) continue
      best = id
      most = bias
    }
    return best
  }

  private isBanned(id: number, before: readonly number[], hash: number): boolean {
    const { minTokens, stopTokenIds, logitBias, ignoreEos } = this.params
    if (this.allowed && !this.allowed.has(id)) return true
    if (before.length < minTokens && ((id === this.eos && !ignoreEos) || stopTokenIds.includes(id))) return true
    const bias = logitBias?.get(id)
    if (bias !== undefined && -bias > marginOf(hash)) return true
    return this.forbidden.some((word) => completes(word, id, before))
  }

  private another(natural: number, before: readonly number[], hash: number): number {
    const list = this.params.allowedTokenIds
    for (let i = 0; i < TRIES; i++) {
      const salted = mix(hash, i + 1)
      const id = list ? list[(pick(hash, list.length) + i) % list.length]! : this.prose.anyToken(salted)
      if (id !== this.eos && !this.isBanned(id, before, hash)) return id
    }
    const last = list?.find((id) => !this.isBanned(id, before, hash))
    return last ?? list?.[0] ?? natural
  }
}

const marginOf = (hash: number): number => MARGIN_MIN + share(mix(hash, 5)) * (MARGIN_MAX - MARGIN_MIN)

/** A word at the beginning of a text and after a blank. */
// follows update_from_tokenizer in vllm/sampling_params.py
function spellings(tokenizer: WireTokenizer, word: string): number[][] {
  const bare = tokensOfText(tokenizer, word.trimStart())
  const spaced = tokensOfText(tokenizer, ` ${word.trimStart()}`)
  const differs = spaced.length === bare.length && spaced[0] !== bare[0]
  return (differs ? [bare, spaced] : [bare]).filter((ids) => ids.length > 0)
}

function completes(word: readonly number[], id: number, before: readonly number[]): boolean {
  const ahead = word.length - 1
  if (word[ahead] !== id || before.length < ahead) return false
  for (let i = 0; i < ahead; i++) if (before[before.length - ahead + i] !== word[i]) return false
  return true
}
