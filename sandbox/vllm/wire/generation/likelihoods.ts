import type { Likely, SamplingParams, TokenLogprobs } from '../generation.ts'
import type { WireTokenizer } from '../serving.ts'
import { tokenText } from '../tokenizer/token-text.ts'
import { mix, pick, share } from './hash.ts'
import type { Prose } from './prose.ts'

/** Of what the most likely token leaves, each further one has this share of the rest. */
const TAKES = 0.4
/** Steps of the walk through the vocabulary; odd, near the golden share of 2^32. */
const STRIDE = 0x9e3779b1
const GREEDY = 1e-5

/**
 * How likely tokens were: of each place a distribution over the vocabulary that falls by rank and sums to 1. The sampled token is mostly the
 * first; at temperature 0 always.
 */
export class Likelihoods {
  private readonly tokenizer: WireTokenizer
  private readonly prose: Prose
  private readonly seed: number
  private readonly greedy: boolean
  private readonly ids: readonly number[] | undefined
  private readonly context: number[]

  constructor(
    { temperature, logprobTokenIds }: Pick<SamplingParams, 'temperature' | 'logprobTokenIds'>,
    { tokenizer, prose, seed }: { readonly tokenizer: WireTokenizer; readonly prose: Prose; readonly seed: number },
    context: readonly number[] = [],
  ) {
    this.tokenizer = tokenizer
    this.prose = prose
    this.seed = seed
    this.greedy = temperature < GREEDY
    this.ids = logprobTokenIds
    this.context = context.slice(-4)
  }

  /** Of the token sampled at a place, with the top `count`; -1 is the whole vocabulary. */
  of(id: number, place: number, count: number): TokenLogprobs {
    const hash = mix(mix(this.seed, 101), place)
    const first = 0.35 + 0.64 * Math.sqrt(share(mix(hash, 1)))
    const rank = this.greedy || share(mix(hash, 2)) < first ? 1 : 2 + pick(mix(hash, 3), 3)
    const likely = (token: number, at: number): Likely => ({
      id: token,
      logprob: Math.fround(logprobOf(at, first)),
      rank: at,
      text: tokenText(this.tokenizer, token, this.context),
    })
    const sampled = likely(id, rank)
    const top = this.ids
      ? this.ids.map((token) => (token === id ? sampled : likely(token, this.rankOf(token, hash))))
      : this.topOf(count < 0 ? this.tokenizer.vocabSize : count, sampled, hash, likely)
    this.context.push(id)
    if (this.context.length > 4) this.context.shift()
    return { sampled, top }
  }

  private topOf(count: number, sampled: Likely, hash: number, likely: (id: number, rank: number) => Likely): Likely[] {
    const top: Likely[] = []
    const taken = new Set([sampled.id])
    for (let rank = 1; rank <= count; rank++) {
      if (rank === sampled.rank) top.push(sampled)
      else {
        const id = this.another(rank, hash, taken)
        if (id === undefined) break
        taken.add(id)
        top.push(likely(id, rank))
      }
    }
    return top
  }

  /** A token for a rank: a word's, as long as that gives a new one, else the next of the vocabulary. */
  private another(rank: number, hash: number, taken: ReadonlySet<number>): number | undefined {
    if (rank <= 64)
      for (let i = 0; i < 8; i++) {
        const id = this.prose.anyToken(mix(hash, rank * 8 + i))
        if (!taken.has(id)) return id
      }
    const { vocabSize } = this.tokenizer
    for (let i = 0; i < vocabSize; i++) {
      const id = (Math.imul(rank, STRIDE) + hash + i) >>> 0
      if (!taken.has(id % vocabSize)) return id % vocabSize
    }
    return undefined
  }

  /** Somewhere in the vocabulary, but not among the first. */
  private rankOf(id: number, hash: number): number {
    return 5 + pick(mix(hash, id), Math.max(1, Math.min(40, this.tokenizer.vocabSize - 5)))
  }
}

/** Natural logarithm of a rank's share, where the first has `first`. */
const logprobOf = (rank: number, first: number): number =>
  rank === 1 ? Math.log(first) : Math.log((1 - first) * TAKES) + (rank - 2) * Math.log(1 - TAKES)

/** Of a prompt: null for its first token, which nothing comes before. */
export function promptLikelihoods(
  ids: readonly number[],
  count: number,
  about: { readonly tokenizer: WireTokenizer; readonly prose: Prose; readonly seed: number },
): (TokenLogprobs | null)[] {
  const likelihoods = new Likelihoods({ temperature: 1, logprobTokenIds: undefined }, about, ids.slice(0, 1))
  return ids.map((id, place) => (place === 0 ? null : likelihoods.of(id, place, count)))
}
