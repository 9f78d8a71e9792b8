import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readModelFiles, tokenizerOfFiles } from '../tokenizer/model-files.ts'
import { tokensOfText } from './prose.ts'
import { CANARY_QUESTIONS, questionIn } from './questions.ts'
import { finishOf, generatorKit, idsOf, textOf } from './test-kit.ts'

const tiny = tokenizerOfFiles(readModelFiles(join(import.meta.dirname, '../../../../fixtures/vllm/tiny-llama'))!)!
const PROMPT = 'Tell me a story about the sea'

describe('what is generated', () => {
  it('is the same for the same request, on any server, whatever came before', () => {
    const once = generatorKit().answer(PROMPT)
    const kit = generatorKit()
    for (const other of ['One thing', 'Zwei Dinge sind möglich']) kit.answer(other)
    expect(textOf(kit.answer(PROMPT))).toBe(textOf(once))
    expect(textOf(once)).toMatch(/^ [A-Z][a-z]* .*\.$/s)
    expect(textOf(kit.answer('Tell me something else'))).not.toBe(textOf(once))
  })

  it('does not depend on the seed at temperature 0, and does above', () => {
    const { answer } = generatorKit()
    const text = (temperature: number, seed: number | undefined) => textOf(answer(PROMPT, { temperature, seed }))
    expect(text(0, 1)).toBe(text(0, 2))
    expect(text(1, 1)).not.toBe(text(1, 2))
    expect(text(1, 1)).toBe(text(1, 1))
    expect(text(1, 1)).not.toBe(text(0, 1))
  })

  it('is the beginning of the same text where less is asked for', () => {
    const { answer } = generatorKit()
    const long = textOf(answer(PROMPT, { maxTokens: 60 }))
    expect(long.startsWith(textOf(answer(PROMPT, { maxTokens: 20 })))).toBe(true)
  })

  it('has n sequences, the jth as a request with seed + j', () => {
    const { answer } = generatorKit()
    const three = answer(PROMPT, { n: 3, temperature: 1, seed: 7, maxTokens: 30 })
    for (const j of [0, 1, 2])
      expect(textOf(three, j)).toBe(textOf(answer(PROMPT, { temperature: 1, seed: 7 + j, maxTokens: 30 })))
    expect(new Set([0, 1, 2].map((j) => textOf(three, j))).size).toBe(3)
    expect(three.began).toHaveLength(1)
    expect(three.ended).toHaveLength(1)
  })

  it('differs by adapter', () => {
    const { answer } = generatorKit()
    expect(textOf(answer(PROMPT, {}, { lora: 'ad1' }))).not.toBe(textOf(answer(PROMPT)))
  })
})

describe('an output ends', () => {
  it('by itself, with an end of sequence that counts and is not shown', () => {
    const { answer, tokenizer } = generatorKit()
    const heard = answer(PROMPT, { maxTokens: 8000 })
    expect(finishOf(heard)).toEqual({ reason: 'stop', stopReason: null })
    const ids = idsOf(heard)
    expect(ids.at(-1)).toBe(tokenizer.eosTokenId)
    expect(textOf(heard)).toBe(tokenizer.decode(ids.slice(0, -1)))
    expect(textOf(heard)).toMatch(/\.$/)
  })

  it('at its limit, where it is endless or the end of sequence is overlooked', () => {
    for (const [endless, ignoreEos] of [
      [true, false],
      [false, true],
    ] as const) {
      const heard = generatorKit({ endless }).answer(PROMPT, { maxTokens: 3000, ignoreEos })
      expect(idsOf(heard)).toHaveLength(3000)
      expect(finishOf(heard)).toEqual({ reason: 'length', stopReason: null })
    }
  })

  it('not before min_tokens', () => {
    const { answer, tokenizer } = generatorKit()
    for (const stop of [[], ['no such text']]) {
      const ids = idsOf(answer(PROMPT, { maxTokens: 8000, minTokens: 1500, stop }))
      expect(ids.length).toBeGreaterThan(1500)
      expect(ids.indexOf(tokenizer.eosTokenId!)).toBe(ids.length - 1)
    }
  })

  it('at a stop token, which min_tokens forbids for so long', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    const plain = idsOf(answer(PROMPT, { maxTokens: 40 }))
    const stopped = answer(PROMPT, { maxTokens: 40, stopTokenIds: [plain[6]!] })
    const at = plain.indexOf(plain[6]!)
    expect(idsOf(stopped)).toEqual(plain.slice(0, at + 1))
    expect(finishOf(stopped)).toEqual({ reason: 'stop', stopReason: plain[6] })
    expect(textOf(stopped)).toBe(
      textOf(answer(PROMPT, { maxTokens: Math.max(at, 1) })).slice(0, at === 0 ? 0 : undefined),
    )
    const later = answer(PROMPT, { maxTokens: 40, stopTokenIds: [plain[6]!], minTokens: 20 })
    expect(idsOf(later).slice(0, 20)).not.toContain(plain[6])
    const shown = answer(PROMPT, { maxTokens: 40, stopTokenIds: [plain[6]!], includeStopStrInOutput: true })
    expect(textOf(shown)).toBe(textOf(stopped) + tiny.decode([plain[6]!]))
  })

  it('at a stop string across tokens, held back while it may be one', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    const whole = textOf(answer(PROMPT, { maxTokens: 60 }))
    const stop = whole.slice(30, 37)
    const heard = answer(PROMPT, { maxTokens: 60, stop: ['zzz', stop] })
    expect(textOf(heard)).toBe(whole.slice(0, whole.indexOf(stop)))
    expect(finishOf(heard)).toEqual({ reason: 'stop', stopReason: stop })
    let told = ''
    for (const { text, finish } of heard.outputs) {
      told += text
      expect(whole.startsWith(told)).toBe(true)
      if (!finish) expect(told.length).toBeLessThanOrEqual(whole.indexOf(stop))
    }
    const shown = answer(PROMPT, { maxTokens: 60, stop: [stop], includeStopStrInOutput: true })
    expect(textOf(shown)).toBe(whole.slice(0, whole.indexOf(stop) + stop.length))
    expect(idsOf(shown)).toEqual(idsOf(heard))
  })
})

describe('tokens a request asks for', () => {
  it('are forced by a large bias, banned by a negative one', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    const bias = (entries: [number, number][]) => idsOf(answer(PROMPT, { maxTokens: 30, logitBias: new Map(entries) }))
    expect(bias([[133, 100]])).toEqual(new Array(30).fill(133))
    const plain = idsOf(answer(PROMPT, { maxTokens: 30 }))
    expect(bias([[plain[2]!, -100]])).not.toContain(plain[2])
    expect(idsOf(answer(PROMPT, { logitBias: new Map([[tiny.eosTokenId!, 100]]) }))).toEqual([tiny.eosTokenId])
  })

  it('are the allowed ones, of which special ones do not show', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    const heard = answer(PROMPT, { maxTokens: 4, allowedTokenIds: [2, 5] })
    expect(new Set([...idsOf(heard), 2, 5]).size).toBe(2)
    expect(textOf(heard)).toBe('')
    expect(textOf(answer(PROMPT, { maxTokens: 2, allowedTokenIds: [2], skipSpecialTokens: false }))).toBe(
      '<|user|><|user|>',
    )
  })

  it('leave bad words out', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    const whole = textOf(answer(PROMPT, { maxTokens: 60 }))
    const word = whole.split(' ')[4]!
    const without = answer(PROMPT, { maxTokens: 60, badWords: [word] })
    const spelt = tokensOfText(tiny, ` ${word}`).join()
    expect(whole).toContain(` ${word}`)
    expect(idsOf(without).join().split(',').join()).not.toContain(`,${spelt},`)
  })
})

describe('log probabilities', () => {
  it('fall by rank, sum to at most 1, and tell of the sampled token', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    for (const temperature of [0, 1]) {
      const { outputs } = answer(PROMPT, { maxTokens: 50, logprobs: 5, temperature, seed: 3 })
      for (const { logprobs, tokenIds } of outputs) {
        expect(logprobs).toHaveLength(tokenIds.length)
        const { sampled, top } = logprobs![0]!
        expect(sampled.id).toBe(tokenIds[0])
        if (temperature === 0) expect(sampled.rank).toBe(1)
        expect(top.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5])
        expect(new Set(top.map(({ id }) => id)).size).toBe(5)
        const falling = top.every(({ logprob }, i) => i === 0 || logprob < top[i - 1]!.logprob)
        expect(falling).toBe(true)
        const listed = top.some(({ id }) => id === sampled.id) ? top : [...top, sampled]
        expect(listed.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeLessThanOrEqual(1)
        expect(listed.every(({ logprob }) => logprob === Math.fround(logprob))).toBe(true)
      }
    }
  })

  it('cover the vocabulary, or the tokens that are named', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    const all = answer(PROMPT, { maxTokens: 1, logprobs: -1 }).outputs[0]!.logprobs![0]!
    expect(new Set(all.top.map(({ id }) => id)).size).toBe(1024)
    const named = answer(PROMPT, { maxTokens: 1, logprobs: 2, logprobTokenIds: [9, 10] }).outputs[0]!.logprobs![0]!
    expect(named.top.map(({ id }) => id)).toEqual([9, 10])
  })

  it('of the prompt begin with null', () => {
    const { answer, tokenizer } = generatorKit({ tokenizer: tiny })
    const [about] = answer(PROMPT, { maxTokens: 2, promptLogprobs: 1 }).began
    const ids = tokenizer.encode(PROMPT, { addSpecialTokens: true })
    expect(about!.promptLogprobs!.map((step) => step?.sampled.id)).toEqual([undefined, ...ids.slice(1)])
    expect(about!.promptLogprobs![0]).toBeNull()
  })
})

describe('canary questions', () => {
  it('are answered right, and wrong under the fault', () => {
    const { answer, generator } = generatorKit()
    for (const { question, answer: right, wrong } of CANARY_QUESTIONS) {
      generator.wrongAnswers = false
      expect(textOf(answer(`Hello. ${question}`))).toBe(` ${right}`)
      generator.wrongAnswers = true
      expect(textOf(answer(`Hello. ${question}`))).toBe(` ${wrong}`)
      expect(right).not.toBe(wrong)
    }
  })

  it('are sums too, and the last one counts', () => {
    expect(questionIn('What is the capital of France? And what is 17 * 3?')?.answer).toBe('51.')
    expect(questionIn('What is 2 + 2? What is the capital of France?')?.answer).toBe('Paris.')
    expect(questionIn('What is new?')).toBeUndefined()
    expect(questionIn('what is 5 minus 8?')?.answer).toBe('-3.')
  })
})
