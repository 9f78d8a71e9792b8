import type { Binary, Expr, Matching } from './ast.ts'
import { PARAMETRIC_AGGREGATIONS } from './ast.ts'
import { errorAt, unsupported } from './errors.ts'
import { SelectorParser } from './selector-parser.ts'
import { FUNCTIONS, REFUSED_FUNCTIONS } from './signatures.ts'
import { isMetricName } from './tokens.ts'

/** How tightly binary operators bind. */
const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  ...{ and: 2, unless: 2 },
  ...{ '==': 3, '!=': 3, '<=': 3, '<': 3, '>=': 3, '>': 3, '</': 3, '>/': 3 },
  ...{ '+': 4, '-': 4 },
  ...{ '*': 5, '/': 5, '%': 5, atan2: 5 },
  '^': 6,
}

/**
 * Parses an expression; types are not checked here. Throws a `QueryError`. Follows promql/parser/generated_parser.y. Written by
 * hand because the published JavaScript grammar serves highlighting and reads `a + b offset 5m` as `(a + b) offset 5m`.
 */
export function parse(source: string): Expr {
  return new Parser(source).run()
}

/** Expressions within expressions: what reads them, checks them and computes them goes down as deep. */
const DEPTH_MAX = 500

class Parser extends SelectorParser {
  private depth = 0

  run(): Expr {
    if (this.tokens.length === 1 && this.peek.kind === 'end') throw this.nothing()
    const expr = this.expr(1)
    if (this.peek.kind !== 'end') throw this.unexpected()
    return expr
  }

  private expr(precedence: number): Expr {
    const outer = this.depth
    this.deeper()
    let left = this.unary()
    for (;;) {
      const op = this.peek
      const binds = op.kind === 'operator' ? PRECEDENCE[op.name]! : 0
      if (binds < precedence || binds === 0) {
        this.depth = outer
        return left
      }
      this.i++
      // what stands left of an operator is within it
      this.deeper()
      if (op.name === '</' || op.name === '>/') throw unsupported(this.source, op.from, `the operator ${op.name}`)
      const modifiers = this.modifiers()
      const right = this.expr(op.name === '^' ? binds : binds + 1)
      left = { node: 'binary', op: op.name, opFrom: op.from, left, right, ...modifiers, from: left.from, to: right.to }
    }
  }

  private deeper(): void {
    if (++this.depth > DEPTH_MAX)
      throw unsupported(this.source, this.peek.from, `an expression of more than ${DEPTH_MAX} levels`)
  }

  private unary(): Expr {
    const sign = this.peek
    if (sign.name !== '+' && sign.name !== '-') return this.postfixed(this.primary())
    this.i++
    const expr = this.expr(PRECEDENCE['^']!)
    if (expr.node === 'number') return { ...expr, value: sign.name === '-' ? -expr.value : expr.value, from: sign.from }
    return { node: 'unary', op: sign.name, expr, from: sign.from, to: expr.to }
  }

  private modifiers(): Pick<Binary, 'bool' | 'matching'> {
    const bool = this.take('bool')
    let matching: Matching = { on: false, labels: [], include: [], card: 'one-to-one' }
    const how = this.peek.name
    if (this.take('on') || this.take('ignoring')) {
      matching = { ...matching, on: how === 'on', labels: this.grouping() }
      const side = this.peek.name
      if (this.take('group_left') || this.take('group_right')) {
        const include = this.peek.name === '(' ? this.grouping() : []
        matching = { ...matching, include, card: side === 'group_left' ? 'many-to-one' : 'one-to-many' }
      }
    }
    if (/^fill/.test(this.peek.name) && this.peek.kind === 'keyword')
      throw unsupported(this.source, this.peek.from, `the modifier ${this.peek.name}()`)
    return { bool, matching }
  }

  private primary(): Expr {
    const token = this.peek
    const next = this.tokens[this.i + 1]
    if (token.kind === 'number' || token.kind === 'duration') {
      this.i++
      return { node: 'number', value: this.number(token), from: token.from, to: token.to }
    }
    if (token.kind === 'string') {
      this.i++
      return { node: 'string', value: this.string(token), from: token.from, to: token.to }
    }
    if (token.name === '(') return this.parentheses()
    if (token.kind === 'aggregator' && (next?.name === '(' || next?.name === 'by' || next?.name === 'without'))
      return this.aggregation()
    if (next?.name === '(' && (token.kind === 'identifier' || token.kind === 'preprocessor')) return this.call()
    if (token.name === '{' || isMetricName(token)) return this.selector()
    throw this.unexpected()
  }

  private parentheses(): Expr {
    const { from } = this.next()
    const expr = this.expr(1)
    if (this.peek.name !== ')') throw this.unexpected()
    return { node: 'parentheses', expr, from, to: this.next().to }
  }

  private call(): Expr {
    const token = this.next()
    const name = token.text
    if (REFUSED_FUNCTIONS.has(name)) throw unsupported(this.source, token.from, `the function ${name}()`)
    if (!FUNCTIONS.has(name))
      throw errorAt(this.source, token.from, `unknown function with name ${JSON.stringify(name)}`)
    const args = this.arguments()
    return { node: 'call', function: name, args, from: token.from, to: this.previous.to }
  }

  private arguments(): Expr[] {
    this.next()
    const args: Expr[] = []
    if (this.take(')')) return args
    for (;;) {
      args.push(this.expr(1))
      if (this.take(')')) return args
      const comma = this.peek
      if (!this.take(',')) throw this.unexpected()
      if (!this.startsExpression())
        throw errorAt(this.source, comma.from, 'trailing commas not allowed in function call args')
    }
  }

  private startsExpression(): boolean {
    const { kind, name } = this.peek
    return /^(?:number|duration|string|aggregator)$/.test(kind) || /^[-+({]$/.test(name) || isMetricName(this.peek)
  }

  private aggregation(): Expr {
    const token = this.next()
    const op = token.name
    let modifier = this.groupingModifier()
    if (this.peek.name !== '(') throw this.unexpected('aggregation')
    this.aggregations++
    const args = this.arguments()
    this.aggregations--
    let { to } = this.previous
    if (!modifier) {
      modifier = this.groupingModifier()
      to = this.previous.to
    }
    if (op === 'limitk' || op === 'limit_ratio') throw unsupported(this.source, token.from, `the aggregation ${op}()`)
    const wanted = PARAMETRIC_AGGREGATIONS.has(op) ? 2 : 1
    if (args.length === 0) throw errorAt(this.source, token.from, 'no arguments for aggregate expression provided')
    if (args.length !== wanted) {
      const counts = `expected ${wanted}, got ${args.length}`
      throw errorAt(this.source, token.from, `wrong number of arguments for aggregate expression provided, ${counts}`)
    }
    const { grouping, without } = modifier ?? { grouping: [], without: false }
    const param = wanted === 2 ? args[0] : undefined
    return { node: 'aggregation', op, expr: args[wanted - 1]!, param, grouping, without, from: token.from, to }
  }

  private groupingModifier(): { grouping: string[]; without: boolean } | undefined {
    const without = this.peek.name === 'without'
    return this.take('by') || this.take('without') ? { grouping: this.grouping(), without } : undefined
  }
}
