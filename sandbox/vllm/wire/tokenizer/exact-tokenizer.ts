import { Tokenizer } from '@huggingface/tokenizers'
import { badRequest } from '../errors.ts'
import type { WireTokenizer } from '../serving.ts'
import { bytesOfEntry } from './byte-level.ts'
import { EntryTexts } from './byte-tokenizer.ts'

/** What a model's folder says of its tokenizer, parsed. */
export interface TokenizerFiles {
  /** tokenizer.json. */
  readonly tokenizer: Readonly<Record<string, unknown>>
  /** tokenizer_config.json. */
  readonly config: Readonly<Record<string, unknown>>
  /** `vocab_size` of config.json; without it that of the tokenizer. */
  readonly vocabSize?: number | undefined
}

interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special?: boolean
}

/** The tokenizer that a tokenizer.json describes. Throws where the file is none. */
export function exactTokenizer({ tokenizer: json, config, vocabSize }: TokenizerFiles): WireTokenizer {
  const tokenizer = new Tokenizer(json, config)
  const vocabulary = tokenizer.get_vocab(true)
  const entries: (string | undefined)[] = []
  let [maxTokenId, longestToken] = [0, 1]
  for (const [entry, id] of vocabulary) {
    entries[id] = entry
    if (id > maxTokenId) maxTokenId = id
    const length = lengthOf(entry)
    if (length > longestToken) longestToken = length
  }
  const added = (json['added_tokens'] ?? []) as readonly AddedToken[]
  const special = new Set(added.filter((token) => token.special).map((token) => token.id))
  const eos = contentOf(config['eos_token'])
  const eosTokenId = eos === undefined ? undefined : vocabulary.get(eos)
  const common = {
    exact: true,
    vocabSize: vocabSize ?? maxTokenId + 1,
    maxTokenId: Math.max(maxTokenId, 0),
    longestToken,
    eosTokenId,
    isSpecial: (id: number) => special.has(id),
    entry: (id: number) => entries[id],
    encode(text: string, { addSpecialTokens }: { readonly addSpecialTokens: boolean }): number[] {
      refuseSurrogates(text)
      if (text === '' && !addSpecialTokens) return []
      return tokenizer.encode(text, { add_special_tokens: addSpecialTokens }).ids
    },
  }
  if (isByteLevel(json['decoder'])) {
    const texts = new EntryTexts((id) => {
      const entry = entries[id]
      return entry === undefined ? undefined : bytesOfEntry(entry)
    })
    return {
      ...common,
      texts,
      decode: (ids, options) => texts.decode(ids, (id) => !(options?.skipSpecialTokens && special.has(id))),
    }
  }
  return {
    ...common,
    spaceMarker: spaceMarkerOf(json['pre_tokenizer']),
    decode(ids, options) {
      const known = ids.filter((id) => entries[id] !== undefined && !(options?.skipSpecialTokens && special.has(id)))
      if (known.length === 0) return ''
      return tokenizer.decode(known, { skip_special_tokens: false, clean_up_tokenization_spaces: false })
    },
  }
}

/** Throws for text that is no Unicode, with what the tokenizers library says of it. */
export function refuseSurrogates(text: string): void {
  if (text.isWellFormed()) return
  throw badRequest('TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]')
}

/** A token as configurations write it: its text, or an object that has it. */
export function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token
  const content = (token as { content?: unknown } | null | undefined)?.content
  return typeof content === 'string' ? content : undefined
}

/** In characters. */
function lengthOf(entry: string): number {
  let length = 0
  for (const _ of entry) length++
  return length
}

interface Part {
  readonly type?: string
  readonly decoders?: readonly Part[]
  readonly pretokenizers?: readonly Part[]
  readonly replacement?: string
}

/** Whether a text is the bytes of its entries put together, and no more. */
function isByteLevel(decoder: unknown): boolean {
  const { type, decoders } = (decoder ?? {}) as Part
  if (type === 'Sequence') return decoders?.length === 1 && isByteLevel(decoders[0])
  return type === 'ByteLevel'
}

/** What stands for a blank in a vocabulary whose decoder takes the first one off. */
// follows get_leading_space_marker in vllm/tokenizers/detokenizer_utils.py
function spaceMarkerOf(preTokenizer: unknown): string | undefined {
  const { type, pretokenizers, replacement } = (preTokenizer ?? {}) as Part
  if (type === 'Metaspace') return replacement ?? '▁'
  if (type !== 'Sequence') return undefined
  for (const part of pretokenizers ?? []) if (part.type === 'Metaspace') return part.replacement ?? '▁'
  return undefined
}
