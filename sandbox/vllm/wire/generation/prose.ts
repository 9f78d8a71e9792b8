import type { WireTokenizer } from '../serving.ts'
import { decodeStream } from '../tokenizer/decode-stream.ts'
import { mix, pick, share } from './hash.ts'
import { ENDINGS, OBJECTS, OPENINGS, SUBJECTS, VERBS } from './words.ts'

/** Different sentences there are. */
const SENTENCES = 4096
const PARAGRAPH = 5
/** Sentences of an answer, by median and spread (log-normal). */
const ANSWER_MEDIAN = 9
const ANSWER_SPREAD = 0.7
const ANSWER_MAX = 80

/** How a sentence begins: at the start of a text, within one, or a paragraph. */
type Lead = 0 | 1 | 2
const LEADS = ['', ' ', '\n\n'] as const

/** Readable sentences as tokens of one model. Each is tokenised once, when it is first told. */
export class Prose {
  private readonly tokenizer: WireTokenizer
  private readonly sentences: (readonly number[] | undefined)[] = []

  constructor(tokenizer: WireTokenizer) {
    this.tokenizer = tokenizer
  }

  /** Tokens of the `i`th sentence of the text that `seed` stands for. `joins`: it goes on a text that was begun. */
  sentence(seed: number, i: number, joins: boolean): readonly number[] {
    const hash = mix(seed, i)
    const lead: Lead = i === 0 ? (joins ? 1 : 0) : pick(mix(hash, 7), PARAGRAPH) === 0 ? 2 : 1
    const place = pick(hash, SENTENCES) * LEADS.length + lead
    const known = this.sentences[place]
    if (known) return known
    const tokens = this.tokens(place)
    this.sentences[place] = tokens
    return tokens
  }

  /** Any token of a word, for where another is out of the question. */
  anyToken(hash: number): number {
    const tokens = this.sentence(hash, 1, true)
    return tokens[pick(mix(hash, 3), tokens.length)]!
  }

  private tokens(place: number): readonly number[] {
    const lead = LEADS[place % LEADS.length]!
    return tokensOfText(this.tokenizer, lead + sentenceText(Math.floor(place / LEADS.length)))
  }
}

/** How many sentences the text of a seed has, when nothing cuts it. */
export function naturalSentences(seed: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - share(mix(seed, 11))))
  const normal = radius * Math.cos(2 * Math.PI * share(mix(seed, 13)))
  return Math.min(ANSWER_MAX, Math.max(1, Math.round(ANSWER_MEDIAN * Math.exp(ANSWER_SPREAD * normal))))
}

/** The `k`th of all sentences. */
export function sentenceText(k: number): string {
  const of = <T>(list: readonly T[], salt: number): T => list[pick(mix(k, salt), list.length)]!
  const text = `${of(OPENINGS, 1)}${of(SUBJECTS, 2)} ${of(VERBS, 3)} ${of(OBJECTS, 4)} ${of(ENDINGS, 5)}.`
  return text[0]!.toUpperCase() + text.slice(1)
}

const ANCHORS = ['\n', 'a', ':']

/** Tokens that say exactly this text after others, where the vocabulary can. */
export function tokensOfText(tokenizer: WireTokenizer, text: string): number[] {
  const encode = (part: string) => tokenizer.encode(part, { addSpecialTokens: false })
  if (tokenizer.texts) return encode(text)
  for (const anchor of ANCHORS) {
    const before = encode(anchor)
    const ids = encode(anchor + text)
    if (before.some((id, i) => ids[i] !== id)) continue
    const rest = ids.slice(before.length)
    const stream = decodeStream(tokenizer, before, false)
    if (rest.map((id) => stream.step(id)).join('') === text) return rest
  }
  return encode(text)
}
