import { textOfBytes, textOfPieces } from './byte-level.ts'

const REPLACEMENT = '\uFFFD'
const NOTHING = new Uint8Array(0)

/**
 * Bytes and text of the entries of a byte-level vocabulary, worked out when first asked for. `null` text: the bytes alone are no whole
 * characters.
 */
export class EntryTexts {
  private readonly bytesOf: (id: number) => Uint8Array | undefined
  private readonly bytes: (Uint8Array | undefined)[] = []
  private readonly texts: (string | null | undefined)[] = []

  constructor(bytesOf: (id: number) => Uint8Array | undefined) {
    this.bytesOf = bytesOf
  }

  /** Empty for an id that is none. */
  bytesFor(id: number): Uint8Array {
    const known = this.bytes[id]
    if (known) return known
    const bytes = this.bytesOf(id)
    if (bytes) this.bytes[id] = bytes
    return bytes ?? NOTHING
  }

  textFor(id: number): string | null {
    const known = this.texts[id]
    if (known !== undefined) return known
    const bytes = this.bytesFor(id)
    const text = textOfBytes(bytes)
    const whole = bytes.length === 0 || !(text.endsWith(REPLACEMENT) || text.includes(REPLACEMENT)) ? text : null
    if (bytes.length > 0) this.texts[id] = whole
    return whole
  }

  /** The entry now stands for something else. */
  forget(id: number): void {
    this.bytes[id] = undefined
    this.texts[id] = undefined
  }

  decode(ids: readonly number[], keep: (id: number) => boolean): string {
    let text = ''
    const broken: Uint8Array[] = []
    for (const id of ids) {
      if (!keep(id)) continue
      const whole = broken.length > 0 ? null : this.textFor(id)
      if (whole !== null) text += whole
      else broken.push(this.bytesFor(id))
    }
    return broken.length > 0 ? text + textOfPieces(broken) : text
  }
}
