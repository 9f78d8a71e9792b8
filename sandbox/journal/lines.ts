import { canonical, fieldOrder } from './record.ts'

/** Lines of a journal as UTF-8, to be taken in blocks: a call for each line costs more than hashing it. */
const BLOCK = 1 << 16

const [QUOTE, COMMA, MINUS, ZERO, BACKSLASH, OPEN, CLOSE, NEWLINE] = [0x22, 0x2c, 0x2d, 0x30, 0x5c, 0x7b, 0x7d, 0x0a]
const BILLION = 1e9
/** A character of UTF-16 takes at most so many bytes of UTF-8. */
const UTF8_MAX = 3

/**
 * The canonical JSON of values, one a line. Of records without inner objects (requests, nearly all lines of a long trial) no text is made:
 * their bytes are written one by one.
 */
export class Lines {
  private bytes = Buffer.allocUnsafe(2 * BLOCK)
  private length = 0

  add(value: object): void {
    const start = this.length
    if (!this.flat(value as Readonly<Record<string, unknown>>)) {
      this.length = start
      this.text(canonical(value))
    }
    this.byte(NEWLINE)
  }

  get isFull(): boolean {
    return this.length >= BLOCK
  }

  /** What has been added since the last call; it stays as it is until the next line. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length)
    this.length = 0
    return taken
  }

  /** False where the object has fields that are more than a number or a text; part of it is written then. */
  private flat(object: Readonly<Record<string, unknown>>): boolean {
    let before = OPEN
    for (const key of fieldOrder(object)) {
      const field = object[key]
      if (field === undefined) continue
      if (typeof field !== 'number' && typeof field !== 'string') return false
      this.byte(before)
      this.quoted(key)
      this.byte(0x3a)
      if (typeof field === 'number') this.number(field)
      else this.quoted(field)
      before = COMMA
    }
    if (before === OPEN) return false
    this.byte(CLOSE)
    return true
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.text(canonical(value))
      return
    }
    if (value < 0) this.byte(MINUS)
    const size = Math.abs(value)
    if (size < BILLION) this.digits(size, 1)
    else {
      const billions = Math.floor(size / BILLION)
      this.digits(billions, 1)
      this.digits(size - billions * BILLION, 9)
    }
  }

  /** Below 2^31 where it matters for speed; with zeros before it up to `least` digits. */
  private digits(value: number, least: number): void {
    let count = least
    for (let limit = 10 ** least; limit <= value; limit *= 10) count++
    this.room(count)
    const { bytes } = this
    let rest = value
    for (let i = this.length + count - 1; i >= this.length; i--) {
      const tenth = Math.floor(rest / 10)
      bytes[i] = ZERO + rest - tenth * 10
      rest = tenth
    }
    this.length += count
  }

  private quoted(value: string): void {
    this.room(value.length + 2)
    const { bytes } = this
    let at = this.length
    bytes[at++] = QUOTE
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
        this.text(canonical(value))
        return
      }
      bytes[at++] = code
    }
    bytes[at++] = QUOTE
    this.length = at
  }

  private text(value: string): void {
    this.room(value.length * UTF8_MAX)
    this.length += this.bytes.write(value, this.length, 'utf8')
  }

  private byte(value: number): void {
    this.room(1)
    this.bytes[this.length++] = value
  }

  private room(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const wider = Buffer.allocUnsafe(2 * (this.length + count))
    wider.set(this.bytes.subarray(0, this.length))
    this.bytes = wider
  }
}
