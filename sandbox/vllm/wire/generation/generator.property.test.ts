import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SamplingParams } from '../generation.ts'
import { readModelFiles, tokenizerOfFiles } from '../tokenizer/model-files.ts'
import { finishOf, generatorKit, idsOf, textOf } from './test-kit.ts'

const tokenizer = tokenizerOfFiles(readModelFiles(join(import.meta.dirname, '../../../../fixtures/vllm/tiny-llama'))!)!
const id = fc.integer({ min: 0, max: 1023 })
const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const params: fc.Arbitrary<SamplingParams> = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    temperature: fc.constantFrom(0, 0.7, 1.5),
    topP: fc.constantFrom(1, 0.5),
    topK: fc.constantFrom(0, 5),
    seed: option(fc.integer()),
    maxTokens: fc.integer({ min: 1, max: 120 }),
    minTokens: fc.integer({ min: 0, max: 60 }),
    stop: fc.array(fc.constantFrom('the', 'e', ' of ', '. T', '\n\n', 'zzzz', 'a small'), { maxLength: 3 }),
    stopTokenIds: fc.array(id, { maxLength: 4 }),
    ignoreEos: fc.boolean(),
    includeStopStrInOutput: fc.boolean(),
    skipSpecialTokens: fc.boolean(),
    spacesBetweenSpecialTokens: fc.boolean(),
    logprobs: option(fc.integer({ min: 0, max: 4 })),
    promptLogprobs: option(fc.integer({ min: 0, max: 2 })),
    logprobTokenIds: fc.constant(undefined),
    logitBias: option(
      fc.array(fc.tuple(id, fc.integer({ min: -100, max: 100 })), { maxLength: 4 }).map((list) => new Map(list)),
    ),
    allowedTokenIds: option(fc.array(id, { minLength: 1, maxLength: 6 })),
    badWords: fc.array(fc.constantFrom('the', 'water', 'a'), { maxLength: 2 }),
    structured: fc.constant(undefined),
  })
  .map((all) => ({ ...all, minTokens: Math.min(all.minTokens, all.maxTokens) }))

describe('whatever is asked for', () => {
  it('outputs keep their limits, and their text is what their tokens decode to', () => {
    fc.assert(
      fc.property(params, fc.boolean(), fc.string({ minLength: 1 }), (asked, endless, prompt) => {
        const kit = generatorKit({ tokenizer, endless })
        const heard = kit.answer(prompt, asked)
        expect(heard.failed.map(({ message }) => message)).toEqual([])
        expect(heard.ended).toHaveLength(1)
        for (let index = 0; index < asked.n; index++) {
          const ids = idsOf(heard, index)
          const finish = finishOf(heard, index)!
          const text = textOf(heard, index)
          expect(heard.outputs.filter((output) => output.index === index && output.finish)).toHaveLength(1)
          expect(ids.length).toBeLessThanOrEqual(asked.maxTokens)
          if (finish.reason === 'length') expect(ids).toHaveLength(asked.maxTokens)
          const { stopReason } = finish
          const byToken = finish.reason === 'stop' && typeof stopReason !== 'string'
          if (byToken) expect(ids.length).toBeGreaterThan(asked.minTokens)
          if (typeof stopReason === 'string') expect(ids.length).toBeGreaterThan(asked.minTokens)
          if (typeof stopReason === 'number') expect(asked.stopTokenIds).toContain(stopReason)
          if (byToken && stopReason === null) expect(ids.at(-1)).toBe(tokenizer.eosTokenId)
          const shown = byToken && !asked.includeStopStrInOutput ? ids.slice(0, -1) : ids
          const whole = tokenizer.decode(shown, { skipSpecialTokens: asked.skipSpecialTokens })
          expect(whole.startsWith(text)).toBe(true)
          if (typeof stopReason === 'string') {
            expect(asked.stop).toContain(stopReason)
            expect(whole.slice(text.length).startsWith(asked.includeStopStrInOutput ? '' : stopReason)).toBe(true)
          } else if (!whole.includes('\uFFFD')) expect(text).toBe(whole)
          if (asked.logprobs !== undefined)
            for (const { logprobs, tokenIds } of heard.outputs) expect(logprobs ?? []).toHaveLength(tokenIds.length)
        }
      }),
      { numRuns: 200 },
    )
  }, 60_000)
})
