import { describe, expect, it } from 'vitest'
import type { Prefix } from '../prefix.ts'
import { PromptMaker } from './prompt.ts'
import { ESTIMATED, learnVocabulary, type Vocabulary } from './vocabulary.ts'

const VOCABULARY: Vocabulary = { ...ESTIMATED, overheadTokens: 8, leadingTokens: 4, source: 'server' }
const maker = new PromptMaker(VOCABULARY, 7)
const words = (text: string): string[] => text.split(' ')
/** Words that two texts begin with. */
const inCommon = (a: string, b: string): number => {
  const [x, y] = [words(a), words(b)]
  const at = x.findIndex((word, i) => word !== y[i])
  return at < 0 ? x.length : at
}

describe('a prompt', () => {
  it('has the planned tokens, those of the template among them', () => {
    for (const promptTokens of [9, 10, 100, 5000])
      expect(words(maker.textOf({ promptTokens, prefix: undefined }, 1))).toHaveLength(promptTokens - 8)
    // it cannot be shorter than the template and a word
    expect(words(maker.textOf({ promptTokens: 1, prefix: undefined }, 1))).toHaveLength(1)
  })

  it('is its own, and the same each time it is made', () => {
    const plan = { promptTokens: 200, prefix: undefined }
    expect(maker.textOf(plan, 1)).toBe(new PromptMaker(VOCABULARY, 7).textOf(plan, 1))
    expect(inCommon(maker.textOf(plan, 1), maker.textOf(plan, 2))).toBeLessThan(5)
    expect(inCommon(maker.textOf(plan, 1), new PromptMaker(VOCABULARY, 8).textOf(plan, 1))).toBeLessThan(5)
  })

  it('begins as others of its system prompt, and goes on as others of its session', () => {
    const shared = (session: number | undefined): Prefix => ({ kind: 'shared', id: 5, tokens: 64, session })
    const text = (session: number | undefined, number: number, promptTokens = 200) =>
      maker.textOf({ promptTokens, prefix: shared(session) }, number)
    // 64 tokens less those of the template before them
    expect(inCommon(text(undefined, 1), text(undefined, 2))).toBeGreaterThanOrEqual(60)
    expect(inCommon(text(undefined, 1), text(undefined, 2))).toBeLessThan(65)
    expect(inCommon(text(1, 1), text(2, 2))).toBeLessThan(65)
    expect(text(1, 2, 300).startsWith(text(1, 1))).toBe(true)
  })

  it('has the blocks of its trace', () => {
    const blocks = (...ids: number[]): Prefix => ({ kind: 'blocks', blockTokens: 50, ids })
    const text = (prefix: Prefix, number: number) => maker.textOf({ promptTokens: 150, prefix }, number)
    const common = inCommon(text(blocks(1, 2, 3), 1), text(blocks(1, 2, 4), 2))
    expect([common >= 96, common < 101]).toEqual([true, true])
  })
})

describe('a vocabulary', () => {
  const counting = (tokensOf: (word: string) => number) => {
    let asked = 0
    const count = async (content: string) => {
      asked++
      return { count: 5 + words(content).reduce((sum, word) => sum + tokensOf(word), 0) }
    }
    return { count, asked: () => asked }
  }

  it('is learned in a few questions where common words are one token each', async () => {
    const { count, asked } = counting(() => 1)
    expect(await learnVocabulary(count, true)).toEqual({
      ...ESTIMATED,
      overheadTokens: 5,
      leadingTokens: 0,
      source: 'server',
    })
    expect(asked()).toBe(2)
  })

  it('leaves out words of more tokens, where asking is cheap', async () => {
    const vocabulary = await learnVocabulary(counting((word) => (word.length > 2 ? 3 : 1)).count, true)
    expect(vocabulary.words.every((word) => word.length <= 2)).toBe(true)
    expect(vocabulary.words.length).toBeGreaterThan(60)
    expect(vocabulary.tokensPerWord).toBe(1)
  })

  it('makes fewer words where it is not', async () => {
    const { count, asked } = counting((word) => (word === 'A' ? 1 : 2))
    const vocabulary = await learnVocabulary(count, false)
    expect([vocabulary.tokensPerWord, asked()]).toEqual([2, 2])
    const text = new PromptMaker(vocabulary, 1).textOf({ promptTokens: 206, prefix: undefined }, 1)
    expect(await count(text)).toEqual({ count: 206 })
  })

  it('knows what of the template comes before the words, where tokens are told', async () => {
    const tokens = (content: string) => [1, 2, 3, ...words(content).map((word) => 10 + word.length), 4, 5]
    const count = async (content: string) => ({ count: tokens(content).length, tokens: tokens(content) })
    expect(await learnVocabulary(count, true)).toMatchObject({ overheadTokens: 5, leadingTokens: 3 })
  })

  it('is estimated where nobody counts', async () => {
    expect(await learnVocabulary(async () => undefined, true)).toBe(ESTIMATED)
  })
})
