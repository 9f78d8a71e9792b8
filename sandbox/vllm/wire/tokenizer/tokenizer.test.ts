import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WireError } from '../errors.ts'
import type { WireTokenizer } from '../serving.ts'
import { decodeStream } from './decode-stream.ts'
import { estimatedTokenizer } from './estimated-tokenizer.ts'
import { exactTokenizer } from './exact-tokenizer.ts'
import { readModelFiles, tokenizerOfFiles } from './model-files.ts'
import { tokenText } from './token-text.ts'

const tiny = join(import.meta.dirname, '../../../../fixtures/vllm/tiny-llama')
const exact = tokenizerOfFiles(readModelFiles(tiny)!)!
const estimated = () =>
  estimatedTokenizer({ vocabSize: 128_256, specialTokens: ['<|im_start|>', '<|im_end|>'], eosToken: '<|im_end|>' })
const plain = { addSpecialTokens: false }

/** A vocabulary of pieces with a mark for blanks, and bytes for what it lacks, as Llama 2's. */
const pieces = (): WireTokenizer => {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)
  const words = ['▁', '▁the', '▁cat', 'the', 'cat', 's', '▁s', '.', 'h', 'e', 't', '▁t', 'th', 'a', 'c', '▁c', 'ca']
  const vocab = ['<unk>', '<s>', '</s>', ...bytes, ...words].map((piece, i) => [piece, -i / 10])
  const added = [0, 1, 2].map((id) => ({ id, content: String(vocab[id]![0]), special: true, normalized: false }))
  const tokenizer = {
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: { type: 'Unigram', unk_id: 0, vocab, byte_fallback: true },
  }
  return exactTokenizer({ tokenizer, config: { eos_token: '</s>', tokenizer_class: 'LlamaTokenizer' } })
}

describe('an exact tokenizer', () => {
  it('gives the ids and texts of the recorded model', () => {
    expect(exact.encode('Hello world, how are you today?', plain)).toEqual([595, 557, 17, 540, 421, 328, 580, 36])
    expect(exact.decode([300, 301, 302])).toBe(' lver in')
    expect(exact.encode('</s><|assistant|>hi', plain)).toEqual([1, 3, 77, 78])
    expect([exact.vocabSize, exact.maxTokenId, exact.longestToken, exact.eosTokenId]).toEqual([1024, 1023, 32, 1])
    expect(exact.decode([2, 595, 1], { skipSpecialTokens: true })).toBe('Hello')
    expect(exact.entry(557)).toBe('Ġworld')
  })

  it('refuses what is no Unicode', () => {
    expect(() => exact.encode('a\ud800', plain)).toThrow(WireError)
    expect(() => estimated().encode('a\ud800', plain)).toThrow('TextEncodeInput')
  })

  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(exact.decode(exact.encode(text, plain))).toBe(text)
      }),
    )
  })
})

describe('an estimated tokenizer', () => {
  it('decodes what it encodes, byte for byte', () => {
    const tokenizer = estimated()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const ids = tokenizer.encode(text, plain)
        expect(tokenizer.decode(ids)).toBe(text)
        expect(ids.every((id) => id >= 0 && id < tokenizer.vocabSize)).toBe(true)
      }),
    )
  })

  it('gives the same ids again, and one for each special token', () => {
    const text = '<|im_start|>user\nWhat is it?<|im_end|>'
    const [a, b] = [estimated().encode(text, plain), estimated().encode(text, plain)]
    expect(a).toEqual(b)
    expect(a[0]).toBe(128_254)
    expect(a.at(-1)).toBe(128_255)
    expect(estimated().isSpecial(a[0]!)).toBe(true)
  })

  it('counts as the vocabularies of 100,000 byte pairs do, within 10 %', () => {
    const tokenizer = estimated()
    // counted by the tokenizers of Llama 3 and GPT-4, which agree on these
    const counted: readonly (readonly [text: string, tokens: number])[] = [
      [ENGLISH, 60],
      [GERMAN, 47],
      [CODE, 55],
      [JSON_TEXT, 36],
    ]
    for (const [text, tokens] of counted) {
      const ours = tokenizer.encode(text, plain).length
      expect(Math.abs(ours / tokens - 1), `${ours} for ${tokens}: ${text.slice(0, 30)}`).toBeLessThan(0.1)
    }
  })
})

const ENGLISH =
  'The next morning she went to the station early because she wanted to take the first train to the coast. It had rained during the night, and the streets were still shining in the light of the lamps. Only a few people were standing on the platform, most of them looking at their phones.'
const GERMAN =
  'Am nächsten Morgen ging sie früh zum Bahnhof, weil sie den ersten Zug nach München nehmen wollte. Es hatte in der Nacht geregnet, und die Straßen glänzten noch im Licht der Laternen.'
const CODE = `export function share(hash: number): number {
  const value = (hash >>> 0) / 0x1_0000_0000
  if (value < 0) throw new RangeError(\`no share: \${value}\`)
  return value
}
`
const JSON_TEXT = '{"id": 17, "name": "user_17", "email": "user17@example.com", "active": true, "score": 23.29}'

describe('a decode stream', () => {
  const streamed = (tokenizer: WireTokenizer, prompt: readonly number[], ids: readonly number[], skip: boolean) => {
    const stream = decodeStream(tokenizer, prompt, skip)
    return ids.map((id) => stream.step(id)).join('')
  }

  it('says what decoding at once says, less what is no whole character at the end', () => {
    const ids = fc.array(fc.integer({ min: 0, max: 1023 }), { maxLength: 40 })
    fc.assert(
      fc.property(ids, fc.boolean(), (list, skip) => {
        const whole = exact.decode(list, { skipSpecialTokens: skip })
        const told = streamed(exact, [595], list, skip)
        expect(whole.startsWith(told)).toBe(true)
        expect(whole.slice(told.length).replace(/\uFFFD+$/, '').length).toBeLessThanOrEqual(whole.length)
        if (!whole.endsWith('\uFFFD')) expect(told).toBe(whole)
      }),
    )
  })

  it('holds back the bytes of a character until it is whole', () => {
    const ids = exact.encode('é€😀', plain)
    const stream = decodeStream(exact, [595], true)
    const told = ids.map((id) => stream.step(id))
    expect(told.join('')).toBe('é€😀')
    expect(told.every((text) => !text.includes('\uFFFD'))).toBe(true)
    expect(told).toContain('')
  })

  it('keeps the blank before a word of other vocabularies', () => {
    const tokenizer = pieces()
    const ids = tokenizer.encode('the cats', plain)
    expect(tokenizer.decode(ids)).toBe('the cats')
    expect(streamed(tokenizer, tokenizer.encode('the', plain), ids, true)).toBe(' the cats')
    expect(tokenText(tokenizer, ids[0]!, [])).toBe('the')
    const list = fc.array(fc.integer({ min: 3, max: 250 + 20 }), { maxLength: 12 })
    fc.assert(
      fc.property(list, (some) => {
        // twice: the second time it knows what follows what
        const told = [1, 2].map(() => streamed(tokenizer, ids, some, true))
        expect(told[0]).toBe(told[1])
        const whole = tokenizer.decode([...ids, ...some], { skipSpecialTokens: true })
        if (!whole.includes('\uFFFD')) expect(`the cats${told[0]}`).toBe(whole)
      }),
    )
  })

  it('begins with the prompt where that ends within a character', () => {
    const [first, ...rest] = exact.encode('😀', plain)
    expect(rest.length).toBeGreaterThan(0)
    expect(streamed(exact, [595, first!], rest, true)).toBe('Hello😀')
  })
})

describe('a token’s text in logprobs', () => {
  it('is empty until the character is whole, which the last token has', () => {
    const ids = exact.encode('€', plain)
    const texts = ids.map((id, i) => tokenText(exact, id, [595, ...ids.slice(0, i)]))
    expect(texts).toEqual([...ids.slice(1).map(() => ''), '€'])
  })
})

describe('tokenizers written by others', () => {
  const golden = join(import.meta.dirname, '../../../../../shared/data/vllm-golden/model')

  it('of a folder beside the repository is read as the fixture is', (context) => {
    if (!existsSync(join(golden, 'tokenizer.json'))) return context.skip('no ../shared/data')
    const tokenizer = tokenizerOfFiles(readModelFiles(golden)!)!
    expect(tokenizer.encode('Hello world', plain)).toEqual([595, 557])
    expect(readFileSync(join(golden, 'tokenizer.json'), 'utf8').length).toBeGreaterThan(0)
  })
})
