import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readModelFiles, tokenizerOfFiles } from '../tokenizer/model-files.ts'
import { finishOf, generatorKit, idsOf, textOf } from './test-kit.ts'

const tiny = tokenizerOfFiles(readModelFiles(join(import.meta.dirname, '../../../../fixtures/vllm/tiny-llama'))!)!
const PROMPT = 'Tell me a story about the sea'

describe('the engine behind it', () => {
  it('tells each token when its step ends, whichever driver it has', () => {
    const times = (driver: 'exact' | 'leap') => {
      const { clock, ask } = generatorKit({ driver })
      const heards = [PROMPT, 'Two', 'Three words more'].map((prompt, i) =>
        ask(prompt, { maxTokens: 50 + i * 20, ignoreEos: true }),
      )
      clock.runUntil(60e6)
      return heards.map(({ heard }) => heard.outputs.map(({ at }) => at))
    }
    const [leap, exact] = [times('leap'), times('exact')]
    expect(leap).toEqual(exact)
    expect(leap[0]!.length).toBe(50)
    expect(leap[0]!.every((at, i) => i === 0 || at > leap[0]![i - 1]!)).toBe(true)
  })

  it('knows the prompt again, unless salt or adapter differ', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    const prompt = 'The quick brown fox jumps over the lazy dog. '.repeat(10)
    const cached = (more = {}) => answer(prompt, { maxTokens: 2 }, more).began[0]!
    const first = cached()
    const blocks = Math.floor(tiny.encode(prompt, { addSpecialTokens: true }).length / 16)
    expect(first).toEqual({ cachedTokens: 0, createdCacheTokens: blocks * 16 })
    expect(cached()).toEqual({ cachedTokens: blocks * 16, createdCacheTokens: 0 })
    expect(cached({ cacheSalt: 'a' }).cachedTokens).toBe(0)
    expect(cached({ lora: 'b' }).cachedTokens).toBe(0)
    expect(cached({ cacheSalt: 'a' }).cachedTokens).toBe(blocks * 16)
  })

  it('knows its own answer again, where a prompt goes on with it', () => {
    const { answer } = generatorKit({ tokenizer: tiny })
    const encode = (text: string) => tiny.encode(text, { addSpecialTokens: false })
    const prompt = encode('<|user|>Tell me a long story about the sea</s><|assistant|>')
    const first = answer('', { maxTokens: 100, ignoreEos: true }, { promptTokenIds: prompt })
    const next = [...prompt, ...idsOf(first), ...encode('</s><|user|>And then?</s><|assistant|>')]
    const whole = Math.floor((prompt.length + 99) / 16) * 16
    const other = answer('', { maxTokens: 2 }, { promptTokenIds: [...next.slice(0, 40), 7, ...next.slice(41)] })
    expect(other.began[0]!.cachedTokens).toBe(32)
    expect(answer('', { maxTokens: 2 }, { promptTokenIds: next }).began[0]!.cachedTokens).toBe(whole)
  })

  it('tells when things happened', () => {
    const [times] = generatorKit().answer(PROMPT, { maxTokens: 5 }).ended
    const { arrivedAt, scheduledAt, firstTokenAt, lastTokenAt } = times!
    expect([arrivedAt, scheduledAt, firstTokenAt, lastTokenAt]).toEqual(
      [arrivedAt, scheduledAt, firstTokenAt, lastTokenAt].sort((a, b) => a - b),
    )
    expect(scheduledAt).toBeGreaterThan(arrivedAt)
  })

  it('hears no more of a client that left', () => {
    const { clock, ask, host } = generatorKit()
    const { heard, leave } = ask(PROMPT, { maxTokens: 500, n: 2, temperature: 1 })
    clock.runUntil(100_000)
    const told = heard.outputs.length
    expect(told).toBeGreaterThan(0)
    leave()
    clock.runUntil(60e6)
    expect(heard.outputs).toHaveLength(told)
    expect([heard.ended.length, heard.failed.length, host.stats().running]).toEqual([0, 0, 0])
  })

  it('ends with reason abort what it aborts itself, with the text that was held back', () => {
    const { clock, ask, host } = generatorKit()
    const { heard } = ask(PROMPT, { maxTokens: 500, stop: ['no such text at all'] })
    clock.runUntil(100_000)
    host.abortAll()
    expect(finishOf(heard)).toEqual({ reason: 'abort', stopReason: null })
    expect(heard.outputs.at(-1)!.tokenIds).toEqual([])
    expect(textOf(heard).length).toBeGreaterThan(20)
    expect(heard.ended).toHaveLength(1)
  })

  it('lets requests wait while it is paused', () => {
    const { clock, ask, host } = generatorKit()
    host.pause('new')
    const { heard } = ask(PROMPT, { maxTokens: 5 })
    clock.runUntil(1e6)
    expect(heard.outputs).toHaveLength(0)
    host.pause('none')
    clock.runUntil(2e6)
    expect(heard.ended[0]!.scheduledAt).toBeGreaterThanOrEqual(1e6)
  })

  it('takes one id from several clients at once', () => {
    const { clock, ask } = generatorKit()
    const heards = [1, 2].map(() => ask(PROMPT, { maxTokens: 5 }, { id: 'chatcmpl-mine' }).heard)
    clock.runUntil(1e6)
    expect(heards.map(({ failed, ended }) => [failed.length, ended.length])).toEqual([
      [0, 1],
      [0, 1],
    ])
  })

  it('refuses later what it cannot take', () => {
    const { ask, clock } = generatorKit()
    const { heard } = ask(PROMPT, { structured: { regex: '(' } })
    expect(heard.failed).toHaveLength(0)
    clock.runUntil(1e6)
    expect(heard.failed[0]!.message).toContain('Grammar error')
    expect(heard.ended).toHaveLength(0)
  })

  it('says a script, and its end counts', () => {
    const { answer, tokenizer } = generatorKit()
    const script = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'
    const heard = answer(PROMPT, {}, { script })
    expect(textOf(heard)).toBe(script)
    expect(finishOf(heard)?.reason).toBe('stop')
    expect(idsOf(heard).length).toBe(tokenizer.encode(script, { addSpecialTokens: false }).length + 1)
    expect(finishOf(answer(PROMPT, { maxTokens: 3 }, { script }))?.reason).toBe('length')
  })
})
