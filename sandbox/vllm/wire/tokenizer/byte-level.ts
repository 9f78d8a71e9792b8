/** How byte-level vocabularies spell bytes: printable ones as themselves, the others as letters from U+0100 on. */
// follows pre_tokenizers/byte_level.rs of huggingface/tokenizers
const SPELLING: readonly string[] = spellings()
const BYTE_OF = new Map(SPELLING.map((letter, byte) => [letter, byte]))
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The bytes an entry of a byte-level vocabulary stands for; of one spelt otherwise, those of its letters. */
export function bytesOfEntry(entry: string): Uint8Array {
  const bytes: number[] = []
  for (const letter of entry) {
    const byte = BYTE_OF.get(letter)
    if (byte === undefined) return encoder.encode(entry)
    bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

/** Text as a byte-level vocabulary spells it: `Ġworld`. */
export function entryOfText(text: string): string {
  if (PLAIN.test(text)) return text
  let entry = ''
  for (const byte of encoder.encode(text)) entry += SPELLING[byte]
  return entry
}

const PLAIN = /^[!-~]*$/

/** One byte as an entry. */
export const entryOfByte = (byte: number): string => SPELLING[byte]!

/** Bytes as text; each sequence that is none becomes U+FFFD. */
export const textOfBytes = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Several pieces of bytes as one text. */
export function textOfPieces(pieces: readonly Uint8Array[]): string {
  if (pieces.length === 1) return textOfBytes(pieces[0]!)
  let length = 0
  for (const piece of pieces) length += piece.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return textOfBytes(whole)
}

function spellings(): string[] {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++))
}
