import { PyFloat, type PyInt, type PyValue, pyInt } from './value.ts'

/** Text that is no JSON. `position` counts characters, not code units. */
// follows CPython 3.11, Lib/json/decoder.py and Modules/_json.c
export class JsonDecodeError extends Error {
  readonly position: number

  constructor(message: string, position: number) {
    super(message)
    this.position = position
  }
}

/** JSON that Python refuses without a position: ints of too many digits, nesting too deep. */
export class JsonLimitError extends Error {}

/** Reads a document as Python's `json.loads` does: NaN and infinities, ints of any size, and lone surrogates are fine. */
export function parsePythonJson(text: string): PyValue {
  const scanner = new Scanner(text)
  return scanner.document()
}

const DEEPEST = 930
const LONGEST_INT = 4300
const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has none of them in strings.
const PLAIN = /[^"\\\u0000-\u001f]*/y
const SPACE = /[ \t\n\r]*/y
const HEX = /^[0-9a-fA-F]$/
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const CONSTANTS: readonly (readonly [string, PyValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', new PyFloat(Number.NaN)],
  ['Infinity', new PyFloat(Number.POSITIVE_INFINITY)],
  ['-Infinity', new PyFloat(Number.NEGATIVE_INFINITY)],
]

class Scanner {
  readonly text: string
  at = 0
  depth = 0

  constructor(text: string) {
    this.text = text
  }

  document(): PyValue {
    this.space()
    const value = this.value()
    this.space()
    if (this.at < this.text.length) throw this.error('Extra data', this.at)
    return value
  }

  private value(): PyValue {
    const char = this.text[this.at]
    if (char === '"') return this.string()
    if (char === '{') return this.nested(() => this.object())
    if (char === '[') return this.nested(() => this.array())
    for (const [word, value] of CONSTANTS) {
      if (word[0] === char && this.text.startsWith(word, this.at)) {
        this.at += word.length
        return value
      }
    }
    return this.number()
  }

  private nested(read: () => PyValue): PyValue {
    this.depth++
    if (this.depth > DEEPEST) throw new JsonLimitError('maximum recursion depth exceeded')
    this.at++
    const value = read()
    this.depth--
    return value
  }

  private object(): PyValue {
    const dict = new Map<string, PyValue>()
    this.space()
    if (this.taken('}')) return dict
    for (;;) {
      if (this.text[this.at] !== '"') throw this.error('Expecting property name enclosed in double quotes', this.at)
      const key = this.string()
      this.space()
      if (!this.taken(':')) throw this.error("Expecting ':' delimiter", this.at)
      this.space()
      dict.set(key, this.value())
      this.space()
      if (this.taken('}')) return dict
      if (!this.taken(',')) throw this.error("Expecting ',' delimiter", this.at)
      this.space()
    }
  }

  private array(): PyValue {
    const list: PyValue[] = []
    this.space()
    if (this.taken(']')) return list
    for (;;) {
      list.push(this.value())
      this.space()
      if (this.taken(']')) return list
      if (!this.taken(',')) throw this.error("Expecting ',' delimiter", this.at)
      this.space()
    }
  }

  private number(): PyValue {
    NUMBER.lastIndex = this.at
    const match = NUMBER.exec(this.text)
    if (match === null) throw this.error('Expecting value', this.at)
    this.at = NUMBER.lastIndex
    const [whole, digits, fraction, exponent] = match
    return fraction === undefined && exponent === undefined ? intOf(digits as string) : new PyFloat(Number(whole))
  }

  private string(): string {
    const begin = this.at
    let read = ''
    this.at++
    for (;;) {
      PLAIN.lastIndex = this.at
      const [plain] = PLAIN.exec(this.text) as RegExpExecArray
      read += plain
      this.at += plain.length
      const char = this.text[this.at]
      if (char === undefined) throw this.error('Unterminated string starting at', begin)
      if (char !== '"' && char !== '\\') throw this.error('Invalid control character at', this.at)
      this.at++
      if (char === '"') return read
      read += this.escape(begin)
    }
  }

  private escape(begin: number): string {
    const char = this.text[this.at]
    if (char === undefined) throw this.error('Unterminated string starting at', begin)
    if (char === 'u') return this.unicodeEscape()
    const meant = ESCAPES[char]
    if (meant === undefined) throw this.error('Invalid \\escape', this.at - 1)
    this.at++
    return meant
  }

  private unicodeEscape(): string {
    const start = this.at
    const end = start + 5
    if (end >= this.text.length) throw this.error('Invalid \\uXXXX escape', start)
    for (let at = start + 1; at < end; at++) {
      if (!HEX.test(this.text[at] as string)) throw this.error('Invalid \\uXXXX escape', start)
    }
    this.at = end
    return String.fromCharCode(Number.parseInt(this.text.slice(start + 1, end), 16))
  }

  private space(): void {
    SPACE.lastIndex = this.at
    SPACE.exec(this.text)
    this.at = SPACE.lastIndex
  }

  private taken(char: string): boolean {
    if (this.text[this.at] !== char) return false
    this.at++
    return true
  }

  private error(message: string, at: number): JsonDecodeError {
    return new JsonDecodeError(message, characters(this.text.slice(0, at)))
  }
}

function intOf(digits: string): PyInt {
  if (digits.length < 16) return Number(digits) + 0
  if (digits.replace('-', '').length > LONGEST_INT)
    throw new JsonLimitError('Exceeds the limit (4300 digits) for integer string conversion')
  return pyInt(BigInt(digits))
}

/** Characters as Python counts them: code points. */
export function characters(text: string): number {
  let count = text.length
  for (let at = 0; at + 1 < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0xd800 || unit > 0xdbff) continue
    const next = text.charCodeAt(at + 1)
    if (next >= 0xdc00 && next <= 0xdfff) {
      count--
      at++
    }
  }
  return count
}
