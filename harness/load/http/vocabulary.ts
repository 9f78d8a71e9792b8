import { COMMON_WORDS, LETTERS } from './words.ts'

/** What prompts are made of, so that they have the number of tokens they are meant to have. */
export interface Vocabulary {
  /** Without their space; each stands for one token. */
  readonly words: readonly string[]
  /** Tokens of a prompt beyond its words: those of the chat template, or a mark of the begin. */
  readonly overheadTokens: number
  /** Those of them that come before the words. */
  readonly leadingTokens: number
  /** Tokens a word has on average; 1 where they are exact. */
  readonly tokensPerWord: number
  readonly source: 'server' | 'estimate'
}

/** Without anybody to count: most vocabularies have the words, and templates of one message add about as many. */
export const ESTIMATED: Vocabulary = {
  words: COMMON_WORDS,
  overheadTokens: 12,
  leadingTokens: 7,
  tokensPerWord: 1,
  source: 'estimate',
}

/** What the server counts in a prompt of some content, and which tokens they are, where it tells. */
export interface Counted {
  readonly count: number
  readonly tokens?: readonly number[]
}

/** Undefined where the server does not say. */
export type CountTokens = (content: string) => Promise<Counted | undefined>

/** What all prompts begin with: a word of its own, as templates may take a leading space away. */
export const FIRST_WORD = 'A'

const WORDS_WANTED = 64
/** A server is asked so often at most. */
const COUNTS_MAX = 160
const SAMPLE = 200
/** After the words most templates end the message and begin the answer with so many. */
const TRAILING = 5

/**
 * Finds words that are one token each, and what the template adds, by asking the server. `cheap`: counting costs no more than a request for
 * tokens; otherwise as few times as will do. Falls back to an estimate.
 */
export async function learnVocabulary(count: CountTokens, cheap: boolean): Promise<Vocabulary> {
  const alone = await count(FIRST_WORD)
  if (alone === undefined) return ESTIMATED
  const overheadTokens = alone.count - 1
  const whole = await count(content(sampleOf(COMMON_WORDS)))
  if (whole === undefined) return ESTIMATED
  const found = (words: readonly string[], tokensPerWord: number): Vocabulary => ({
    words,
    overheadTokens,
    leadingTokens: leadingOf(alone, whole),
    tokensPerWord,
    source: 'server',
  })
  const excess = (whole.count - overheadTokens - 1) / SAMPLE
  if (excess === 1) return found(COMMON_WORDS, 1)
  if (!cheap) return found(COMMON_WORDS, excess)
  const words = await singleTokenWords(count, alone.count)
  if (words.length < 2) return found(COMMON_WORDS, excess)
  const check = await count(content(sampleOf(words)))
  return found(words, check === undefined ? 1 : (check.count - overheadTokens - 1) / SAMPLE)
}

/** Two prompts are alike up to the end of their first word. */
function leadingOf(one: Counted, other: Counted): number {
  if (!one.tokens || !other.tokens) return Math.max(0, one.count - 1 - TRAILING)
  const differs = one.tokens.findIndex((token, i) => token !== other.tokens![i])
  return Math.max(0, (differs < 0 ? one.tokens.length : differs) - 1)
}

/** Of letters and words those that add one token: halves are asked for until all of one do. */
async function singleTokenWords(count: CountTokens, alone: number): Promise<string[]> {
  const found: string[] = []
  let asked = 0
  const search = async (words: readonly string[]): Promise<void> => {
    if (words.length === 0 || found.length >= WORDS_WANTED || asked++ >= COUNTS_MAX) return
    const tokens = ((await count(content(words)))?.count ?? Number.POSITIVE_INFINITY) - alone
    if (tokens === words.length) found.push(...words)
    else if (words.length > 1 && tokens < 3 * words.length) {
      const middle = Math.ceil(words.length / 2)
      await search(words.slice(0, middle))
      await search(words.slice(middle))
    }
  }
  await search(LETTERS)
  await search(COMMON_WORDS)
  return found
}

const content = (words: readonly string[]): string => [FIRST_WORD, ...words].join(' ')

const sampleOf = (words: readonly string[]): string[] =>
  Array.from({ length: SAMPLE }, (_, i) => words[i % words.length]!)
