import type { Prefix } from '../prefix.ts'
import type { Planned } from '../schedule.ts'
import { FIRST_WORD, type Vocabulary } from './vocabulary.ts'

/**
 * The text of planned prompts: as many tokens as planned, the same where prompts have a prefix in common and different everywhere else.
 * A function of the schedule, the vocabulary and `salt`; with another salt no prompt begins as before, so that what an earlier load left in
 * a prefix cache is of no use.
 */
export class PromptMaker {
  private readonly vocabulary: Vocabulary
  private readonly salt: number

  constructor(vocabulary: Vocabulary, salt: number) {
    this.vocabulary = vocabulary
    this.salt = salt
  }

  /** `number`: of the request in its schedule. */
  textOf({ promptTokens, prefix }: Pick<Planned, 'promptTokens' | 'prefix'>, number: number): string {
    const { words, overheadTokens, leadingTokens, tokensPerWord } = this.vocabulary
    const count = Math.max(0, Math.round((promptTokens - overheadTokens - 1) / tokensPerWord))
    const own = mix(this.salt, OWN, number)
    let text = FIRST_WORD
    for (let i = 0; i < count; i++) {
      // the place of the word's first token in the prompt
      const token = leadingTokens + 1 + Math.floor(i * tokensPerWord)
      const stream = prefix ? (this.common(prefix, token) ?? own) : own
      text += ` ${words[mix(stream, i, token) % words.length]}`
    }
    return text
  }

  /** What a token's text depends on where others may have it too. */
  private common(prefix: Prefix, token: number): number | undefined {
    if (prefix.kind === 'shared') {
      if (token < prefix.tokens) return mix(this.salt, SYSTEM, prefix.id)
      return prefix.session === undefined ? undefined : mix(this.salt, mix(SESSION, prefix.id, 0), prefix.session)
    }
    const id = prefix.ids[Math.floor(token / prefix.blockTokens)]
    return id === undefined ? undefined : mix(this.salt, BLOCK, id)
  }
}

/** Kinds of text, kept apart. */
const [OWN, SYSTEM, SESSION, BLOCK] = [1, 2, 3, 4] as const

/** Mixes three integers to 32 bits. */
function mix(a: number, b: number, c: number): number {
  let h = Math.imul(a ^ (a >>> 16), 0x7feb352d) ^ b
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b) ^ c
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  return (h ^ (h >>> 15)) >>> 0
}
