/** Codes of the hexadecimal digits. */
export const HEX_CODES: readonly number[] = [...'0123456789abcdef'].map((digit) => digit.charCodeAt(0))

/**
 * Text of a fixed length made code by code. What is added up from pieces is a rope until somebody looks at it; ids are looked at
 * and kept by the thousand.
 */
export class AsciiText {
  private readonly bytes: Buffer
  private length = 0

  constructor(length: number) {
    this.bytes = Buffer.alloc(length)
  }

  /** Starts anew. */
  clear(): this {
    this.length = 0
    return this
  }

  put(code: number): this {
    this.bytes[this.length++] = code
    return this
  }

  /** The lowest `digits` hexadecimal digits of a number below 2³². */
  hex(value: number, digits: number): this {
    for (let shift = 4 * (digits - 1); shift >= 0; shift -= 4) this.put(HEX_CODES[(value >>> shift) & 15]!)
    return this
  }

  toString(): string {
    return this.bytes.toString('latin1', 0, this.length)
  }
}

export const DASH = 45
