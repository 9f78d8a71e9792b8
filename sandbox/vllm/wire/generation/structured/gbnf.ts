import { badRequest } from '../../errors.ts'

/** What a rule of a grammar says. */
export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'pattern'; readonly source: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly of: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly part: Expression; readonly min: number; readonly max: number }
  | { readonly kind: 'rule'; readonly name: string }

export interface Grammar {
  readonly rules: ReadonlyMap<string, Expression>
  readonly start: string
}

/** Reads a grammar in the notation of llama.cpp. Throws a WireError in vLLM's words. */
// follows the errors of llguidance's gbnf_to_lark
export function parseGbnf(source: string): Grammar {
  const reader = new Reader(source)
  const rules = new Map<string, Expression>()
  while (reader.skip(true) < source.length) {
    const name = reader.name()
    reader.skip(true)
    if (!reader.take('::=')) throw reader.expected('Expected ::=')
    reader.skip(true)
    rules.set(name, reader.choice(false))
  }
  const missing = reader.references.find((name) => !rules.has(name))
  if (missing !== undefined) throw refused(`Rule '${missing}' not found`)
  if (!rules.has('root')) throw refused("No 'root' rule found")
  return { rules, start: 'root' }
}

const refused = (text: string) =>
  badRequest(`Invalid grammar specification: Failed to convert the grammar from GBNF to Lark: ${text}`)

class Reader {
  readonly references: string[] = []
  private readonly source: string
  private at = 0

  constructor(source: string) {
    this.source = source
  }

  /** Over blanks and comments, with those at ends of lines or without. */
  skip(lines: boolean): number {
    const blank = lines ? /(?:\s|#[^\n]*)*/y : /(?:[ \t]|#[^\n]*)*/y
    blank.lastIndex = this.at
    this.at += blank.exec(this.source)![0].length
    return this.at
  }

  take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false
    this.at += text.length
    return true
  }

  name(): string {
    const name = this.match(/[a-zA-Z_][\w-]*/y)
    if (name === undefined) throw this.expected('Expected name')
    return name
  }

  /** Alternatives; within brackets they go on over ends of lines. */
  choice(nested: boolean): Expression {
    const alternatives = [this.sequence(nested)]
    for (;;) {
      const before = this.at
      this.skip(true)
      if (!this.take('|')) {
        if (!nested) this.at = before
        break
      }
      this.skip(true)
      alternatives.push(this.sequence(nested))
    }
    return alternatives.length === 1 ? alternatives[0]! : { kind: 'choice', of: alternatives }
  }

  expected(what: string): ReturnType<typeof badRequest> {
    const before = this.source.slice(0, this.at)
    const line = before.split('\n').length
    const begin = before.lastIndexOf('\n') + 1
    const end = this.source.indexOf('\n', this.at)
    const after = this.source.slice(this.at, end < 0 ? undefined : end)
    return refused(`${what} at line ${line}, '${this.source.slice(begin, this.at)}' ^ '${after}'`)
  }

  private sequence(nested: boolean): Expression {
    const parts: Expression[] = []
    for (;;) {
      this.skip(nested)
      const part = this.item()
      if (!part) break
      parts.push(this.repeated(part))
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }

  private item(): Expression | undefined {
    if (this.take('"')) return { kind: 'text', text: this.literal() }
    if (this.take('[')) return { kind: 'pattern', source: this.characters() }
    if (this.take('.')) return { kind: 'pattern', source: '.' }
    if (this.take('(')) {
      this.skip(true)
      const inner = this.choice(true)
      this.skip(true)
      if (!this.take(')')) throw this.expected("Expected ')'")
      return inner
    }
    const before = this.at
    const name = this.match(/[a-zA-Z_][\w-]*/y)
    if (name === undefined) return undefined
    const rule = /\s*::=/y
    rule.lastIndex = this.at
    if (rule.test(this.source)) {
      this.at = before
      return undefined
    }
    this.references.push(name)
    return { kind: 'rule', name }
  }

  private repeated(part: Expression): Expression {
    if (this.take('*')) return { kind: 'repeat', part, min: 0, max: Number.POSITIVE_INFINITY }
    if (this.take('+')) return { kind: 'repeat', part, min: 1, max: Number.POSITIVE_INFINITY }
    if (this.take('?')) return { kind: 'repeat', part, min: 0, max: 1 }
    const count = this.match(/\{\s*\d+\s*(?:,\s*\d*\s*)?\}/y)
    if (count === undefined) return part
    const [low, high] = count
      .slice(1, -1)
      .split(',')
      .map((text) => text.trim())
    const min = Number(low)
    return {
      kind: 'repeat',
      part,
      min,
      max: high === undefined ? min : high === '' ? Number.POSITIVE_INFINITY : Number(high),
    }
  }

  private literal(): string {
    let text = ''
    for (;;) {
      if (this.take('"')) return text
      text += this.letter()
    }
  }

  /** A class of characters, as an expression has it. */
  private characters(): string {
    const begin = this.at
    while (!this.source.startsWith(']', this.at)) this.letter()
    const inner = this.source.slice(begin, this.at)
    this.at++
    return `[${inner}]`
  }

  private letter(): string {
    if (this.at >= this.source.length) throw this.expected('Unexpected end of input')
    const escaped = this.match(/\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[\s\S])/y)
    if (escaped !== undefined) return unescaped(escaped)
    const letter = String.fromCodePoint(this.source.codePointAt(this.at)!)
    this.at += letter.length
    return letter
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.source)?.[0]
    this.at += found?.length ?? 0
    return found
  }
}

const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', '0': '\0' }

/** What an escape stands for. */
export function unescaped(sequence: string): string {
  const letter = sequence[1]!
  if (sequence.length > 2) return String.fromCodePoint(Number.parseInt(sequence.slice(2), 16))
  return CONTROLS[letter] ?? letter
}
