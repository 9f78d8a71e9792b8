import { QueryError } from '../querier.ts'
import { errorAt } from './errors.ts'
import { KEYWORDS, type Token, type TokenKind } from './tokens.ts'

const OPERATORS = ['==', '!=', '<=', '</', '<', '>=', '>/', '>', '+', '-', '*', '/', '%', '^']
const PUNCTUATION = ['=~', '!~', '=', '(', ')', '{', '}', '[', ']', ',', ':', '@']

/** Decimal, hexadecimal and octal numbers; underscores between digits. What the value is, or whether it has one, `numberValue` says. */
const NUMBER =
  /(?:0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|(?:\d+(?:_\d+)*)?\.?\d*(?:_\d+)*(?:[eE][+-]?\d+(?:_\d+)*)?)(?![\w.])/y
const DURATION = /\d+(?:[smhdwy]s?)(?:\d+[smhdw]s?)*(?!\w)/y
/** As far as Prometheus reads before it gives up. */
const BAD_NUMBER =
  /^(?:0[xX]_?[0-9a-fA-F_]*|[\d_]*\.?[\d_]*(?:[eE][+-]?[\d_]*)?)(?:[smhdwy]s?(?:\d+[smhdw]s?)*(?:\d+|[\s\S])?)?/
const STRING = /"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`/y
const NAME = /[A-Za-z_:][\w:]*/y
const LABEL = /[A-Za-z_]\w*/y
const BLANK = /(?:[ \t\r\n]|#[^\r\n]*)*/y

/**
 * Splits an expression into tokens. The last is the `end`, or the `error` that ended the splitting: what is wrong before it is told
 * first, as Prometheus does. Follows promql/parser/lex.go.
 */
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
  /** Within brackets, before the next number. */
  private inDuration = false

  constructor(source: string) {
    this.source = source
  }

  run(): Token[] {
    try {
      while (this.skipBlanks()) this.token()
      if (this.inBraces) throw this.error('unexpected end of input inside braces')
      if (this.inBrackets) throw this.error('unexpected end of input in duration expression')
      if (this.parentheses > 0) throw this.error('unclosed left parenthesis')
      this.push('end', '')
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      this.tokens.push({ kind: 'error', text: '', name: '', from: this.at, to: this.at, error })
    }
    return this.tokens
  }

  /** Whether anything follows. */
  private skipBlanks(): boolean {
    this.at += this.match(BLANK)?.length ?? 0
    return this.at < this.source.length
  }

  private token(): void {
    const c = this.source[this.at]!
    const nameStart = this.inBraces || this.inBrackets ? /[A-Za-z_]/ : /[A-Za-z_:]/
    if (this.inDuration && /["'`{}[@=!<>]/.test(c)) throw this.error(this.unexpected(c))
    if (/["'`]/.test(c)) this.string(c)
    else if (nameStart.test(c)) this.word()
    else if (!this.inBraces && /^(?:\d|\.\d)/.test(this.source.slice(this.at, this.at + 2))) this.number()
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
      throw this.error(
        this.inDuration
          ? `unexpected character in duration expression: '${text[0]}'`
          : `unexpected character: '${text[0]}', expected ':'`,
      )
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
    const number = this.match(NUMBER)
    const duration = number ? undefined : this.match(DURATION)
    if (!number && !duration) {
      const bad = BAD_NUMBER.exec(this.source.slice(this.at))![0]
      throw this.error(`bad number or duration syntax: ${JSON.stringify(bad)}`)
    }
    this.inDuration = false
    this.push(number ? 'number' : 'duration', (number || duration)!)
  }

  private symbol(c: string): void {
    const at = (text: string) => this.source.startsWith(text, this.at)
    const operator = this.inBraces ? undefined : OPERATORS.find(at)
    const mark = operator === undefined || /^[=!]/.test(operator) ? PUNCTUATION.find(at) : undefined
    const text = this.inBraces && at('!=') ? '!=' : mark === '=~' || mark === '!~' ? mark : (operator ?? mark)
    if (text === undefined || (!this.inBraces && (text === '=~' || text === '!~' || text === '}')))
      throw this.error(this.unexpected(c))
    if (this.inBraces && !['=', '!=', '=~', '!~', ',', '}'].includes(text)) throw this.error(this.unexpected(c))
    this.nest(text)
    this.push(text === operator ? 'operator' : 'punctuation', text)
  }

  private nest(text: string): void {
    if (text === '(') this.parentheses++
    else if (text === ')' && --this.parentheses < 0) throw this.error("unexpected right parenthesis ')'", this.at + 1)
    else if (text === '{') this.inBraces = true
    else if (text === '}') this.inBraces = false
    else if (text === '[') {
      if (this.inBrackets) throw this.error("unexpected left bracket '['")
      this.inBrackets = true
      this.inDuration = true
    } else if (text === ']') {
      if (!this.inBrackets) throw this.error("unexpected right bracket ']'")
      this.inBrackets = false
    }
  }

  private unexpected(c: string): string {
    const next = this.source[this.at + 1]
    const after = next === undefined ? '-1' : `'${next}'`
    if (this.inBraces && c === '{') return "unexpected left brace '{'"
    if (this.inBraces && c === '!') return `unexpected character after '!' inside braces: ${after}`
    if (this.inBraces) return `unexpected character inside braces: '${c}'`
    if (this.inDuration) return `unexpected character in duration expression: '${c}'`
    return c === '!' || c === '=' ? `unexpected character after '${c}': ${after}` : `unexpected character: '${c}'`
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    return pattern.exec(this.source)?.[0]
  }

  private push(kind: TokenKind, text: string, name = text): void {
    this.tokens.push({ kind, text, name, from: this.at, to: this.at + text.length })
    this.at += text.length
  }

  private error(message: string, at = this.at) {
    return errorAt(this.source, at, message)
  }
}
