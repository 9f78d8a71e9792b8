import type { WireTokenizer } from '../serving.ts'
import { bytesOfEntry, entryOfByte, entryOfText } from './byte-level.ts'
import { EntryTexts } from './byte-tokenizer.ts'
import { refuseSurrogates } from './exact-tokenizer.ts'
import { wordPieces } from './word-pieces.ts'

export interface EstimateOptions {
  /** As the model's config.json says; at least 32,000 are used. */
  readonly vocabSize: number
  /** Texts that are one token each, and not shown. */
  readonly specialTokens: readonly string[]
  readonly eosToken: string
  /** Put before a text where special tokens are to be added. */
  readonly bosToken?: string | undefined
}

const BYTES = 256
const VOCAB_MIN = 32_000
/** Places tried for a piece whose own is taken. */
const PROBES = 16
/** Longer ones are cut before they are looked up, so that no text makes a large vocabulary. */
const PIECE_MAX = 64

/**
 * A stand-in for a tokenizer nobody has: it cuts text at plausible places into about as many tokens as a large vocabulary would. An id is
 * the hash of its piece, or the next free one where another has that; what was encoded decodes again.
 */
export function estimatedTokenizer(options: EstimateOptions): WireTokenizer {
  return new EstimatedTokenizer(options)
}

class EstimatedTokenizer implements WireTokenizer {
  readonly exact = false
  readonly vocabSize: number
  readonly maxTokenId: number
  readonly longestToken = 128
  readonly eosTokenId: number
  readonly texts: EntryTexts
  private readonly entries: (string | undefined)[] = []
  private readonly keys: Int32Array
  private readonly ids = new Map<string, number>()
  private readonly specials: ReadonlyMap<string, number>
  private readonly firstSpecial: number
  private readonly special: RegExp
  private readonly bosTokenId: number | undefined

  constructor({ vocabSize, specialTokens, eosToken, bosToken }: EstimateOptions) {
    this.vocabSize = Math.max(vocabSize, VOCAB_MIN)
    this.maxTokenId = this.vocabSize - 1
    this.keys = new Int32Array(this.vocabSize)
    const names = [...new Set([...specialTokens, eosToken, ...(bosToken === undefined ? [] : [bosToken])])]
    this.firstSpecial = this.vocabSize - names.length
    this.specials = new Map(names.map((name, i) => [name, this.firstSpecial + i]))
    this.special = new RegExp(`(${names.map((name) => name.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('|')})`, 'u')
    this.eosTokenId = this.specials.get(eosToken)!
    this.bosTokenId = bosToken === undefined ? undefined : this.specials.get(bosToken)
    for (let byte = 0; byte < BYTES; byte++) this.keep(byte, entryOfByte(byte), byte)
    for (const [name, id] of this.specials) this.keep(id, name, id)
    this.texts = new EntryTexts((id) => {
      const entry = this.entries[id]
      return entry === undefined ? undefined : bytesOfEntry(entry)
    })
  }

  encode(text: string, { addSpecialTokens }: { readonly addSpecialTokens: boolean }): number[] {
    refuseSurrogates(text)
    const ids: number[] = addSpecialTokens && this.bosTokenId !== undefined ? [this.bosTokenId] : []
    for (const part of text.split(this.special)) {
      const special = this.specials.get(part)
      if (special !== undefined) ids.push(special)
      else for (const piece of wordPieces(part)) this.addPiece(piece, ids)
    }
    return ids
  }

  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string {
    return this.texts.decode(ids, (id) => !(options?.skipSpecialTokens && this.isSpecial(id)))
  }

  entry(id: number): string | undefined {
    return this.entries[id]
  }

  isSpecial(id: number): boolean {
    return id >= this.firstSpecial && id < this.vocabSize
  }

  keyOf(id: number): number {
    return this.keys[id] ?? 0
  }

  private addPiece(piece: string, ids: number[]): void {
    if (piece.length <= PIECE_MAX) ids.push(this.idOf(entryOfText(piece)))
    else {
      const letters = [...piece]
      for (let i = 0; i < letters.length; i += PIECE_MAX)
        ids.push(this.idOf(entryOfText(letters.slice(i, i + PIECE_MAX).join(''))))
    }
  }

  private idOf(entry: string): number {
    const known = this.ids.get(entry)
    if (known !== undefined) return known
    const key = hashOf(entry)
    const space = this.firstSpecial - BYTES
    const first = BYTES + ((key >>> 0) % space)
    let id = first
    for (let probe = 0; probe < PROBES && this.entries[id] !== undefined; probe++)
      id = BYTES + ((id - BYTES + 1) % space)
    if (this.entries[id] !== undefined) {
      id = first
      this.ids.delete(this.entries[id]!)
      this.texts.forget(id)
    }
    this.keep(id, entry, key)
    return id
  }

  private keep(id: number, entry: string, key: number): void {
    this.entries[id] = entry
    this.keys[id] = key
    if (!this.specials.has(entry)) this.ids.set(entry, id)
  }
}

/** FNV-1a, mixed. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i)
    hash = Math.imul(hash, 0x01000193)
  }
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 12)
}
