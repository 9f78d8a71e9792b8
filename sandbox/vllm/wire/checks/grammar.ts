import { badRequest } from '../errors.ts'
import { pyRepr } from '../python/text.ts'

/** Refuses a grammar in GBNF that cannot be read. One in Lark's syntax (`start: …`) is not looked at. */
// follows llguidance/gbnf_to_lark.py, which vllm/v1/structured_output/backend_guidance.py asks after xgrammar
export function checkGrammar(grammar: string): void {
  if (isLark(grammar)) return
  try {
    new GbnfParser(grammar).grammar()
  } catch (error) {
    if (!(error instanceof GbnfError)) throw error
    throw badRequest(`Invalid grammar specification: Failed to convert the grammar from GBNF to Lark: ${error.message}`)
  }
}

const isLark = (grammar: string): boolean => /^\s*(?:%llguidance\b|\??start\s*:)/m.test(grammar)

class GbnfError extends Error {}

const WORD = /[\p{L}\p{N}_-]/u
/** Of escapes by `\x` xgrammar takes any. */
const HEX_DIGITS: Readonly<Record<string, number>> = { u: 4, U: 8 }
const AROUND = 20

class GbnfParser {
  readonly chars: readonly string[]
  readonly rules = new Set<string>()
  readonly named: string[] = []
  at = 0

  constructor(text: string) {
    this.chars = [...text]
  }

  grammar(): void {
    this.space(true)
    while (this.current !== '') {
      this.rule()
      this.space(true)
    }
    const unknown = this.named.find((name) => !this.rules.has(name))
    if (unknown !== undefined) throw new GbnfError(`Rule '${unknown}' not found`)
    if (!this.rules.has('root')) throw new GbnfError("No 'root' rule found")
  }

  private get current(): string {
    return this.chars[this.at] ?? ''
  }

  private peek(count: number): string {
    return this.chars.slice(this.at, this.at + count).join('')
  }

  private error(message: string, at = this.at): GbnfError {
    const line = this.chars.slice(0, at).filter((char) => char === '\n').length + 1
    const before = this.chars.slice(Math.max(0, at - AROUND), at).join('')
    const after = this.chars.slice(at, at + AROUND).join('')
    return new GbnfError(`${message} at line ${line}, ${pyRepr(before)} ^ ${pyRepr(after)}`)
  }

  private rule(): void {
    this.rules.add(this.name())
    this.space(false)
    if (this.peek(3) !== '::=') throw this.error('Expected ::=')
    this.at += 3
    this.space(true)
    this.alternatives(false)
  }

  private name(): string {
    if (!WORD.test(this.current)) throw this.error('Expected name')
    const start = this.at
    while (WORD.test(this.current)) this.at++
    return this.chars.slice(start, this.at).join('')
  }

  private alternatives(nested: boolean): void {
    for (;;) {
      this.sequence(nested)
      this.space(nested || this.continues())
      if (this.current !== '|') return
      this.at++
      this.space(true)
    }
  }

  /** xgrammar, which is asked first, takes alternatives on lines of their own. */
  private continues(): boolean {
    return /^\s*\|/.test(this.chars.slice(this.at, this.at + AROUND).join(''))
  }

  private sequence(nested: boolean): void {
    while (this.current !== '' && !'|)'.includes(this.current) && (nested || !'\r\n'.includes(this.current))) {
      if (this.current === '"') this.quoted('"')
      else if (this.current === '[') this.quoted(']')
      else if (this.current === '(') this.group(nested)
      else if (this.current === '.') this.at++
      else if (WORD.test(this.current)) this.named.push(this.name())
      else return
      this.space(nested)
      this.repetition()
      this.space(nested)
    }
  }

  private group(nested: boolean): void {
    this.at++
    this.space(true)
    this.alternatives(true)
    if (this.current !== ')') throw this.error("Expected ')'")
    this.at++
    this.space(nested)
  }

  private quoted(end: string): void {
    this.at++
    for (;;) {
      const char = this.current
      this.character()
      if (char === end) return
    }
  }

  private character(): void {
    if (this.current === '') throw this.error('Unexpected end of input')
    if (this.current !== '\\') {
      this.at++
      return
    }
    const escaped = this.chars[this.at + 1]
    if (escaped === undefined) throw this.error('Incomplete escape sequence')
    this.at++
    const digits = HEX_DIGITS[escaped]
    if (digits !== undefined) {
      const hex = this.peek(digits + 1).slice(1)
      if (hex.length !== digits || /[^0-9a-fA-F]/.test(hex))
        throw this.error(`Invalid \\${escaped} escape sequence: \\${escaped}${hex}`)
      this.at += digits
    } else if (!'"\\[]nrtx'.includes(escaped)) throw this.error(`Invalid escape sequence \\${escaped}`)
    this.at++
  }

  private repetition(): void {
    if ('*+?'.includes(this.current) && this.current !== '') this.at++
    else if (this.current === '{') this.counted()
  }

  private counted(): void {
    this.at++
    this.space(true)
    this.integer()
    this.space(true)
    if (this.current === ',') {
      this.at++
      this.space(true)
      if (/\d/.test(this.current)) this.integer()
      this.space(true)
    }
    if (this.current !== '}') throw this.error("Expected '}'")
    this.at++
  }

  private integer(): void {
    if (!/\d/.test(this.current)) throw this.error('Expected integer')
    while (/\d/.test(this.current)) this.at++
  }

  private space(newlines: boolean): void {
    for (;;) {
      if (this.current === '#') this.comment()
      else if (this.current !== '' && (' \t'.includes(this.current) || (newlines && '\r\n'.includes(this.current))))
        this.at++
      else return
    }
  }

  private comment(): void {
    while (this.current !== '' && !'\r\n'.includes(this.current)) this.at++
  }
}
