import { errorAt } from './errors.ts'
import { KEYWORDS, type Token, type TokenKind } from './tokens.ts'

const OPERATORS = ['==', '!=', '<=', '</', '<', '>=', '>/', '>', '+', '-', '*', '/', '%', '^']
const PUNCTUATION = ['=~', '!~', '=', '(', ')', '{', '}', '[', ']', ',', ':', '@']

/** Decimal, hexadecimal and octal numbers; underscores between digits. What the value is, or whether it has one, `numberValue` says. */
const NUMBER =
  /(?:0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|(?:\d+(?:_\d+)*)?\.?\d*(?:_\d+)*(?:[eE][+-]?\d+(?:_\d+)*)?)(?![\w.])/y
const NUMBER_WITH_DOT = /\d+(?:_\d+)*\.(?![\w.])/y
const DURATION = /\d+(?:[smhdwy]s?)(?:\d+[smhdw]s?)*(?!\w)/y
const STRING = /"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`/y
const NAME = /[A-Za-z_:][\w:]*/y
const LABEL = /[A-Za-z_]\w*/y
const BLANK = /(?:[ \t\r\n]|#[^\r\n]*)*/y

/** Splits an expression into tokens; the last is `end`. Throws a `QueryError` with the place. Follows promql/parser/lex.go. */
export function tokenize(source: string): Token[] {
  return new Lexer(source).run()
}

class Lexer {
  private readonly source: string
  private at = 0
  private readonly tokens: Token[] = []
  private parentheses = 0
  private inBraces = false
  private inBrackets = false

  constructor(source: string) {
    this.source = source
  }

  run(): Token[] {
    for (;;) {
      this.at += this.match(BLANK)?.length ?? 0
      if (this.at >= this.source.length) break
      this.token()
    }
    if (this.inBraces) throw this.error('unexpected end of input inside braces')
    if (this.inBrackets) throw this.error(this.parentheses > 0 ? 'unclosed left parenthesis' : 'unclosed left bracket')
    if (this.parentheses > 0) throw this.error('unclosed left parenthesis')
    this.push('end', '')
    return this.tokens
  }

  private token(): void {
    const c = this.source[this.at]!
    if (/["'`]/.test(c)) this.string(c)
    else if (this.inBraces ? /[A-Za-z_]/.test(c) : /[A-Za-z_]/.test(c) || (c === ':' && !this.inBrackets)) this.word()
    else if (
      !this.inBraces &&
      /\d|\.\d/.test(this.source.slice(this.at, this.at + 2)) &&
      (c !== '.' || /\.\d/.test(this.source.slice(this.at, this.at + 2)))
    )
      this.number()
    else this.symbol(c)
  }

  private string(quote: string): void {
    const text = this.match(STRING)
    if (text === undefined) throw this.error(quote === '`' ? 'unterminated raw string' : 'unterminated quoted string')
    this.push('string', text)
  }

  private word(): void {
    const text = this.match(this.inBraces ? LABEL : NAME)!
    const kind = this.inBraces ? undefined : KEYWORDS.get(text.toLowerCase())
    if (this.inBrackets && kind !== 'preprocessor')
      throw this.error(`unexpected character in duration expression: ${JSON.stringify(text[0])}`.replaceAll('"', "'"))
    if (kind && !(text.toLowerCase().startsWith('fill') && !this.parenthesisFollows(text))) {
      this.push(kind, text, text.toLowerCase())
    } else {
      this.push(text.includes(':') ? 'metric identifier' : 'identifier', text)
    }
  }

  /** `fill` is a keyword only before its argument, so that metrics may be called so. */
  private parenthesisFollows(text: string): boolean {
    return /^\s*\(/.test(this.source.slice(this.at + text.length))
  }

  private number(): void {
    const number = this.match(NUMBER) || this.match(NUMBER_WITH_DOT)
    const duration = number ? undefined : this.match(DURATION)
    if (!number && !duration) {
      const bad = /^[\w.]+/.exec(this.source.slice(this.at))![0]
      throw this.error(`bad number or duration syntax: ${JSON.stringify(bad)}`)
    }
    this.push(number ? 'number' : 'duration', (number || duration)!)
  }

  private symbol(c: string): void {
    const at = (text: string) => this.source.startsWith(text, this.at)
    const operator = this.inBraces ? undefined : OPERATORS.find(at)
    const mark = operator === undefined || /^[=!]/.test(operator) ? PUNCTUATION.find(at) : undefined
    const text = this.inBraces && at('!=') ? '!=' : mark === '=~' || mark === '!~' ? mark : (operator ?? mark)
    if (text === undefined || (!this.inBraces && (text === '=~' || text === '!~'))) throw this.error(this.unexpected(c))
    if (this.inBraces && !['=', '!=', '=~', '!~', ',', '}'].includes(text)) throw this.error(this.unexpected(c))
    this.nest(text)
    this.push(text === operator ? 'operator' : 'punctuation', text)
  }

  private nest(text: string): void {
    if (text === '(') this.parentheses++
    else if (text === ')' && --this.parentheses < 0) throw this.error("unexpected right parenthesis ')'")
    else if (text === '{') this.inBraces = true
    else if (text === '}') this.inBraces = false
    else if (text === '[') {
      if (this.inBrackets) throw this.error("unexpected left bracket '['")
      this.inBrackets = true
    } else if (text === ']') {
      if (!this.inBrackets) throw this.error("unexpected right bracket ']'")
      this.inBrackets = false
    }
  }

  private unexpected(c: string): string {
    if (this.inBraces) return c === '{' ? "unexpected left brace '{'" : `unexpected character inside braces: '${c}'`
    if (this.inBrackets) return `unexpected character in duration expression: '${c}'`
    const next = this.source[this.at + 1]
    if (c === '!' || c === '=') return `unexpected character after '${c}': ${next === undefined ? '-1' : `'${next}'`}`
    return `unexpected character: '${c}'`
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    return pattern.exec(this.source)?.[0]
  }

  private push(kind: TokenKind, text: string, name = text): void {
    this.tokens.push({ kind, text, name, from: this.at, to: this.at + text.length })
    this.at += text.length
  }

  private error(message: string) {
    return errorAt(this.source, this.at, message)
  }
}
