/** A value of a JSON document as it was written: the order of keys, and the text of numbers, are kept. */
export type JsonNode =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: JsonNode])[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly value: string }
  /** `text` as written: `0` and `0.0` differ. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'literal'; readonly text: 'true' | 'false' | 'null' }

export interface JsonDocument {
  readonly root: JsonNode
  /** How it was written: `,` or `, `, `:` or `: `; every kind that occurs. */
  readonly separators: readonly string[]
  /** Characters outside ASCII stand as `\uXXXX`. Undefined: there are none. */
  readonly ascii: boolean | undefined
  /** Strings whose escapes are not those that Python and Rust write. */
  readonly oddStrings: readonly string[]
}

/** Throws a SyntaxError where `text` is no JSON. */
export function readJson(text: string): JsonDocument {
  JSON.parse(text)
  return new Reader(text).document()
}

/** Of an object; undefined where there is none. */
export function member(node: JsonNode | undefined, key: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.entries.find(([name]) => name === key)?.[1] : undefined
}

/** The document has been checked: only what is sure to stand there is read. */
class Reader {
  readonly #text: string
  #at = 0
  readonly #separators = new Set<string>()
  readonly #odd: string[] = []
  #ascii: boolean | undefined

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonDocument {
    const root = this.#value()
    return { root, separators: [...this.#separators].sort(), ascii: this.#ascii, oddStrings: this.#odd }
  }

  #value(): JsonNode {
    this.#blanks()
    const first = this.#text[this.#at]
    if (first === '{') return { kind: 'object', entries: this.#list('}', () => this.#entry()) }
    if (first === '[') return { kind: 'array', items: this.#list(']', () => this.#value()) }
    if (first === '"') return { kind: 'string', value: this.#string() }
    const text = /[^\s,\]}]+/y
    text.lastIndex = this.#at
    const word = text.exec(this.#text)![0]
    this.#at += word.length
    if (word === 'true' || word === 'false' || word === 'null') return { kind: 'literal', text: word }
    return { kind: 'number', text: word }
  }

  #entry(): readonly [string, JsonNode] {
    this.#blanks()
    const key = this.#string()
    this.#separator(':')
    return [key, this.#value()]
  }

  #list<T>(end: string, read: () => T): T[] {
    this.#at++
    const items: T[] = []
    this.#blanks()
    while (this.#text[this.#at] !== end) {
      if (items.length > 0) this.#separator(',')
      items.push(read())
      this.#blanks()
    }
    this.#at++
    return items
  }

  #separator(mark: string): void {
    const from = this.#at
    this.#blanks()
    this.#at += mark.length
    this.#blanks()
    this.#separators.add(this.#text.slice(from, this.#at))
  }

  #string(): string {
    const quoted = /"(?:[^"\\]|\\.)*"/sy
    quoted.lastIndex = this.#at
    const raw = quoted.exec(this.#text)![0]
    this.#at += raw.length
    const value = JSON.parse(raw) as string
    if (raw === encoded(value, false)) {
      if (raw !== encoded(value, true)) this.#ascii = false
    } else if (raw === encoded(value, true)) this.#ascii ??= true
    else this.#odd.push(raw)
    return value
  }

  #blanks(): void {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? 'x')) this.#at++
  }
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
}

// follows Python's json.dumps, with and without ensure_ascii
function encoded(value: string, ascii: boolean): string {
  const hex = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must be escaped
  const plain = value.replace(/["\\\u0000-\u001f]/g, (character) => SHORT[character] ?? hex(character))
  return `"${ascii ? plain.replace(/[\u007f-\uffff]/g, (character) => (character === '\u007f' ? character : hex(character))) : plain}"`
}
