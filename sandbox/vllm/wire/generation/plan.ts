import type { Finish, SamplingParams } from '../generation.ts'
import type { WireTokenizer } from '../serving.ts'
import type { Detokenizer } from './detokenizer.ts'
import { naturalSentences, type Prose } from './prose.ts'
import type { TokenRules } from './token-rules.ts'

/** What one sequence will say, known before its first token. */
export interface TokenPlan {
  /** Tokens, with that which ends it. */
  readonly length: number
  readonly finish: Finish
  /** The last one is an end of the sequence or a stop token, and not text. */
  readonly endsByToken: boolean
  /** All of them; undefined where they are too many to be known beforehand. */
  readonly ids: Int32Array | undefined
  /** The token at a place; places are asked for in order. */
  next(): number
}

export interface PlanInput {
  readonly params: SamplingParams
  readonly tokenizer: WireTokenizer
  readonly prose: Prose
  readonly seed: number
  /** What is said, and then it ends; undefined: sentences. */
  readonly script: readonly number[] | undefined
  /** Text goes on a word or sentence of the prompt. */
  readonly joins: boolean
  /** Sentences never end by themselves. */
  readonly endless: boolean
  readonly rules: TokenRules | undefined
  /** A fresh one, to look for stop strings; left alone where there are none. */
  readonly detokenizer: () => Detokenizer
}

/** Longer ones are told as they go. */
const AHEAD_MAX = 4096

/** Plans a sequence: to its end where stop strings, stop tokens or rules can change it, or where that is not far. */
export function planOf(input: PlanInput): TokenPlan {
  const { params, rules } = input
  const { stop, stopTokenIds, maxTokens } = params
  if (rules || stop.length > 0 || stopTokenIds.length > 0) return drawn(input)
  const source = sourceOf(input)
  const natural = source.naturalLength()
  const isCut = natural === undefined || natural > maxTokens
  const length = isCut ? maxTokens : natural
  const finish = isCut ? BY_LENGTH : BY_EOS
  const endsByToken = !isCut && input.tokenizer.eosTokenId !== undefined
  if (length > AHEAD_MAX) return { length, finish, endsByToken, ids: undefined, next: () => source.next() }
  const ids = new Int32Array(length)
  for (let i = 0; i < length; i++) ids[i] = source.next()
  return { length, finish, endsByToken, ids, next: inOrder(ids) }
}

function inOrder(ids: Int32Array): () => number {
  let at = 0
  return () => ids[at++]!
}

const BY_LENGTH: Finish = { reason: 'length', stopReason: null }
const BY_EOS: Finish = { reason: 'stop', stopReason: null }

/** Draws every token. */
// follows check_stop in vllm/v1/core/sched/utils.py, and the output processor for stop strings
function drawn(input: PlanInput): TokenPlan {
  const { params, tokenizer, rules } = input
  const { maxTokens, ignoreEos, stopTokenIds, stop } = params
  const source = sourceOf(input)
  const detokenizer = stop.length > 0 ? input.detokenizer() : undefined
  const stops = new Set(stopTokenIds)
  const endsByEos = !ignoreEos || input.script !== undefined
  const ids: number[] = []
  const end = (finish: Finish, endsByToken: boolean): TokenPlan => {
    const all = Int32Array.from(ids)
    return { length: ids.length, finish, endsByToken, ids: all, next: inOrder(all) }
  }
  while (ids.length < maxTokens) {
    const natural = source.next()
    const id = rules ? rules.choose(natural, ids) : natural
    if (id !== natural && natural === tokenizer.eosTokenId) source.goOn()
    ids.push(id)
    if (id === tokenizer.eosTokenId && endsByEos) return end(BY_EOS, true)
    if (stops.has(id)) return end({ reason: 'stop', stopReason: id }, true)
    const found = detokenizer?.add(id)
    if (found !== undefined) return end({ reason: 'stop', stopReason: found }, false)
  }
  return end(BY_LENGTH, false)
}

/** Tokens one after another, without end where nothing ends them. */
interface Source {
  /** With the end of the sequence; undefined where it has none. */
  naturalLength(): number | undefined
  next(): number
  /** The end of the sequence was refused. */
  goOn(): void
}

const sourceOf = (input: PlanInput): Source => (input.script ? new Script(input, input.script) : new Sentences(input))

class Sentences implements Source {
  private readonly input: PlanInput
  private readonly eos: number | undefined
  /** Of these, then it ends. */
  private count: number
  private index = 0
  private tokens: readonly number[]
  private at = 0
  private drawn = 0

  constructor(input: PlanInput) {
    this.input = input
    const { endless, seed, params, tokenizer } = input
    this.eos = tokenizer.eosTokenId
    const never = endless || params.ignoreEos || this.eos === undefined
    this.count = never ? Number.POSITIVE_INFINITY : naturalSentences(seed)
    this.tokens = this.sentence(0)
  }

  naturalLength(): number | undefined {
    if (this.count === Number.POSITIVE_INFINITY) return undefined
    const { minTokens, maxTokens } = this.input.params
    let length = 0
    for (let i = 0; i < this.count || length < minTokens; i++) {
      length += this.sentence(i).length
      this.count = Math.max(this.count, i + 1)
      if (length > maxTokens) break
    }
    return length + 1
  }

  next(): number {
    if (this.at >= this.tokens.length) {
      this.index++
      if (this.index >= this.count && this.drawn >= this.input.params.minTokens) return this.eos!
      this.tokens = this.sentence(this.index)
      this.at = 0
    }
    this.drawn++
    return this.tokens[this.at++]!
  }

  goOn(): void {
    this.count = this.index + 1
    this.tokens = this.sentence(this.index)
    this.at = 0
  }

  private sentence(i: number): readonly number[] {
    return this.input.prose.sentence(this.input.seed, i, this.input.joins)
  }
}

/** A fixed text; where its end is refused, sentences. */
class Script implements Source {
  private readonly ids: readonly number[]
  private readonly input: PlanInput
  private at = 0
  private after: Sentences | undefined

  constructor(input: PlanInput, ids: readonly number[]) {
    const { eosTokenId } = input.tokenizer
    this.input = input
    this.ids = eosTokenId === undefined ? ids : [...ids, eosTokenId]
  }

  naturalLength(): number | undefined {
    return this.ids.length
  }

  next(): number {
    if (this.after) return this.after.next()
    if (this.at < this.ids.length) return this.ids[this.at++]!
    this.goOn()
    return this.after!.next()
  }

  goOn(): void {
    this.after = new Sentences({ ...this.input, joins: true, script: undefined, endless: true })
  }
}
