import { type Matcher, type MatchType, matcher } from '../tsdb/matcher.ts'
import type { Expr, MatrixSelector, TimeShift, VectorSelector } from './ast.ts'
import { errorAt, unsupported } from './errors.ts'
import { TokenReader } from './token-reader.ts'
import type { Token } from './tokens.ts'

/** Parses selectors, and what may stand after them: ranges, `offset` and `@`. */
export class SelectorParser extends TokenReader {
  protected selector(): Expr {
    const first = this.peek
    const metric = first.name === '{' ? undefined : this.next().text
    const matchers = this.peek.name === '{' ? this.matchers() : []
    const shift = { offsetMs: 0, from: first.from, to: this.previous.to }
    if (metric === undefined) return { node: 'vector selector', matchers, ...shift }
    return { node: 'vector selector', metric, matchers: [...matchers, matcher('__name__', '=', metric)], ...shift }
  }

  protected matchers(): Matcher[] {
    this.next()
    const matchers: Matcher[] = []
    while (!this.take('}')) {
      const label = this.peek
      if (label.kind !== 'identifier' && label.kind !== 'string')
        throw this.unexpected('label matching', 'identifier or "}"')
      this.i++
      const name = label.kind === 'string' ? this.string(label) : label.text
      const op = this.peek
      if (['=', '!=', '=~', '!~'].includes(op.name)) {
        this.i++
        matchers.push(this.matcher(label, name, op.name as MatchType))
      } else if (label.kind === 'string') matchers.push(matcher('__name__', '=', name))
      else throw this.unexpected('label matching', 'label matching operator')
      if (!this.take(',') && this.peek.name !== '}') throw this.unexpected('label matching', '"," or "}"')
    }
    return matchers
  }

  protected matcher(label: Token, name: string, type: MatchType): Matcher {
    if (this.peek.kind !== 'string') throw this.unexpected('label matching', 'string')
    const value = this.string(this.next())
    try {
      return matcher(name, type, value)
    } catch (error) {
      throw errorAt(this.source, label.from, `error parsing regexp: ${(error as Error).message}`)
    }
  }

  /** Ranges, `offset` and `@` bind to what stands before them more tightly than any operator. */
  protected postfixed(primary: Expr): Expr {
    let expr = primary
    for (;;) {
      const { name, kind, from } = this.peek
      if (name === '[') expr = this.range(expr)
      else if (name === 'offset' && kind === 'keyword') expr = this.offset(expr)
      else if (name === '@') expr = this.at(expr)
      else if ((name === 'anchored' || name === 'smoothed') && kind === 'keyword')
        throw unsupported(this.source, from, `the modifier ${name}`)
      else return expr
    }
  }

  protected range(expr: Expr): Expr {
    const open = this.next()
    const range = this.duration()
    if (this.take(':')) {
      const step = this.peek.name === ']' ? undefined : this.duration()
      if (this.peek.name !== ']') throw this.unexpected('subquery selector', '"]"')
      const to = this.next().to
      return { node: 'subquery', expr, ...range, stepMs: step?.rangeMs, offsetMs: 0, from: expr.from, to }
    }
    if (this.peek.name !== ']') throw this.unexpected('subquery or range', '":" or "]"')
    const { to } = this.next()
    const refuse = (message: string) => errorAt(this.source, open.from, message)
    if (expr.node !== 'vector selector') throw refuse('ranges only allowed for vector selectors')
    if (expr.offsetMs !== 0) throw refuse('no offset modifiers allowed before range')
    if (expr.at !== undefined) throw refuse('no @ modifiers allowed before range')
    return { node: 'matrix selector', selector: expr, ...range, from: expr.from, to }
  }

  /** A length of time in brackets. Prometheus also takes arithmetic there, which is refused. */
  protected duration(): { rangeMs: number; rangeSeconds: number } {
    const token = this.peek
    if (['step', 'range', 'min_of', 'max_of', '(', '+', '-'].includes(token.name))
      throw unsupported(this.source, token.from, 'arithmetic in a duration')
    if (token.kind !== 'number' && token.kind !== 'duration')
      throw this.unexpected('subquery or range selector', 'number, duration, step(), or range()')
    this.i++
    const value = this.number(token)
    if (!(value > 0)) throw errorAt(this.source, token.from, 'duration must be greater than 0')
    if (value > 2 ** 63 / 1e9) throw errorAt(this.source, token.from, 'duration out of range')
    if (this.peek.kind === 'operator') throw unsupported(this.source, this.peek.from, 'arithmetic in a duration')
    const nanoseconds = Math.round(value * 1e9)
    return { rangeMs: Math.floor(nanoseconds / 1e6), rangeSeconds: nanoseconds / 1e9 }
  }

  protected offset(expr: Expr): Expr {
    this.next()
    let negative = false
    for (; this.peek.name === '-' || this.peek.name === '+'; this.i++) if (this.peek.name === '-') negative = !negative
    const token = this.peek
    if (['step', 'range', 'min_of', 'max_of', '('].includes(token.name))
      throw unsupported(this.source, token.from, 'arithmetic in a duration')
    if (token.kind !== 'number' && token.kind !== 'duration')
      throw this.unexpected('offset', 'number, duration, step(), or range()')
    this.i++
    const value = this.number(token)
    if (!(Math.abs(value) <= 2 ** 63 / 1e9)) throw errorAt(this.source, token.from, 'duration out of range')
    const offsetMs = Math.trunc(Math.round(value * 1e9) / 1e6) * (negative ? -1 : 1)
    return this.shift(expr, 'offset', ({ offsetMs: before }) => {
      if (before !== 0) throw errorAt(this.source, expr.from, 'offset may not be set multiple times')
      return { offsetMs }
    })
  }

  protected at(expr: Expr): Expr {
    this.next()
    const time = this.time(expr)
    return this.shift(expr, '@', ({ at }) => {
      if (at !== undefined) throw errorAt(this.source, expr.from, '@ <timestamp> may not be set multiple times')
      return { at: time }
    })
  }

  protected time(expr: Expr): number | 'query' {
    if (this.take('start') || this.take('end')) {
      if (this.take('(') && this.take(')')) return 'query'
      throw this.unexpected('@', 'timestamp')
    }
    const sign = this.peek.name
    if (sign === '+' || sign === '-') this.i++
    const token = this.peek
    if (token.kind !== 'number' && token.kind !== 'duration') throw this.unexpected('@', 'timestamp')
    this.i++
    const seconds = (sign === '-' ? -1 : 1) * this.number(token)
    if (!(Math.abs(seconds) < 2 ** 63))
      throw errorAt(this.source, expr.from, `timestamp out of bounds for @ modifier: ${goFixed(seconds)}`)
    return roundAwayFromZero(seconds * 1000)
  }

  protected shift(expr: Expr, what: 'offset' | '@', change: (shift: TimeShift) => Partial<TimeShift>): Expr {
    if (expr.node === 'vector selector' || expr.node === 'subquery') {
      const changed = change(expr)
      return { ...expr, ...changed, to: this.previous.to } as VectorSelector
    }
    if (expr.node === 'matrix selector') {
      const selector = { ...expr.selector, ...change(expr.selector) }
      return { ...expr, selector, to: this.previous.to } satisfies MatrixSelector
    }
    const message = 'modifier must be preceded by an instant vector selector or range vector selector or a subquery'
    throw errorAt(this.source, expr.from, `${what} ${message}`)
  }
}

const goFixed = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf')
const roundAwayFromZero = (value: number): number => Math.sign(value) * Math.round(Math.abs(value))
