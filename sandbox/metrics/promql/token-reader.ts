import { QueryError } from '../querier.ts'
import { errorAt } from './errors.ts'
import { tokenize } from './lexer.ts'
import { durationMs, numberValue, stringValue } from './literals.ts'
import { describe, isLabelName, type Token } from './tokens.ts'

/** Goes through the tokens of an expression, and says where and why one does not fit. */
export class TokenReader {
  protected readonly source: string
  protected readonly tokens: readonly Token[]
  protected i = 0
  /** How many aggregations are open: errors within them say so. */
  protected aggregations = 0

  constructor(source: string) {
    this.source = source
    this.tokens = tokenize(source)
  }

  protected grouping(): string[] {
    if (!this.take('(')) throw this.unexpected('grouping opts', '"("')
    const labels: string[] = []
    while (!this.take(')')) {
      const token = this.peek
      if (!isLabelName(token) && token.kind !== 'string') throw this.unexpected('grouping opts', 'label')
      this.i++
      const label = token.kind === 'string' ? this.string(token) : token.text
      if (label === '' || label.includes('\ufffd'))
        throw errorAt(this.source, token.from, `invalid label name for grouping: ${JSON.stringify(label)}`)
      labels.push(label)
      if (!this.take(',') && this.peek.name !== ')') throw this.unexpected('grouping opts', '"," or ")"')
    }
    return labels
  }

  protected number(token: Token): number {
    try {
      return token.kind === 'duration' ? durationMs(token.text) / 1e3 : numberValue(token.text)
    } catch (error) {
      throw errorAt(this.source, token.from, (error as Error).message)
    }
  }

  protected string(token: Token): string {
    try {
      return stringValue(token.text)
    } catch (error) {
      throw errorAt(this.source, token.from, (error as Error).message)
    }
  }

  protected get peek(): Token {
    const token = this.tokens[this.i]!
    if (token.error) throw token.error
    return token
  }

  protected get previous(): Token {
    return this.tokens[this.i - 1]!
  }

  protected next(): Token {
    return this.tokens[this.i++]!
  }

  protected take(name: string): boolean {
    if (this.peek.name !== name || this.peek.kind === 'string') return false
    this.i++
    return true
  }

  protected unexpected(context = '', expected = '') {
    const within = context || (this.aggregations > 0 ? 'aggregation' : '')
    const where = within && ` in ${within}`
    return errorAt(
      this.source,
      this.peek.from,
      `unexpected ${describe(this.peek)}${where}${expected && `, expected ${expected}`}`,
    )
  }

  protected nothing() {
    const message = 'no expression found in input'
    if (this.source === '') return new QueryError('PROMQL_PARSE', `unknown position: parse error: ${message}`)
    return errorAt(this.source, 0, message)
  }
}
