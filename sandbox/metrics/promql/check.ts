import {
  type Aggregation,
  type Binary,
  type Call,
  COMPARISONS,
  type Expr,
  SET_OPERATORS,
  type VectorSelector,
} from './ast.ts'
import { errorAt } from './errors.ts'
import { DOCUMENTED_TYPE, FUNCTIONS, type ValueType } from './signatures.ts'

/** The type of what an expression gives. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.node) {
    case 'number':
      return 'scalar'
    case 'string':
      return 'string'
    case 'matrix selector':
    case 'subquery':
      return 'matrix'
    case 'call':
      return FUNCTIONS.get(expr.function)!.returns
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'vector'
    case 'unary':
    case 'parentheses':
      return typeOf(expr.expr)
    default:
      return 'vector'
  }
}

/**
 * Checks types and what else the grammar cannot. Throws the first `QueryError` (`PROMQL_TYPE`), with Prometheus' message.
 * Follows checkAST of promql/parser/parse.go.
 */
export function check(source: string, expr: Expr): ValueType {
  return new Checker(source).check(expr)
}

class Checker {
  private readonly source: string

  constructor(source: string) {
    this.source = source
  }

  check(expr: Expr): ValueType {
    switch (expr.node) {
      case 'aggregation':
        this.aggregation(expr)
        break
      case 'binary':
        this.binary(expr)
        break
      case 'call':
        this.call(expr)
        break
      case 'unary': {
        const type = this.check(expr.expr)
        if (type !== 'scalar' && type !== 'vector')
          throw this.error(
            expr.from,
            `unary expression only allowed on expressions of type scalar or instant vector, got "${DOCUMENTED_TYPE[type]}"`,
          )
        break
      }
      case 'subquery': {
        const type = this.check(expr.expr)
        if (type !== 'vector')
          throw this.error(expr.from, `subquery is only allowed on instant vector, got ${type} instead`)
        break
      }
      case 'parentheses':
        this.check(expr.expr)
        break
      case 'matrix selector':
        this.selector(expr.selector)
        break
      case 'vector selector':
        this.selector(expr)
        break
    }
    return typeOf(expr)
  }

  private aggregation({ op, expr, param }: Aggregation): void {
    this.expect(expr, 'vector', 'aggregation expression')
    if (param) this.expect(param, op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter')
  }

  private binary(expr: Binary): void {
    const { op, opFrom, bool, matching, left, right } = expr
    const [lt, rt] = [this.check(left), this.check(right)]
    const comparison = COMPARISONS.has(op)
    const set = SET_OPERATORS.has(op)
    const scalars = lt === 'scalar' && rt === 'scalar'
    if (bool && !comparison) throw this.error(opFrom, 'bool modifier can only be used on comparison operators')
    if (comparison && !bool && scalars) throw this.error(opFrom, 'comparisons between scalars must use BOOL modifier')
    const twice = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined
    if (twice !== undefined)
      throw this.error(opFrom, `label ${JSON.stringify(twice)} must not occur in ON and GROUP clause at once`)
    for (const [type, side] of [[lt, left] as const, [rt, right] as const])
      if (type !== 'scalar' && type !== 'vector')
        throw this.error(side.from, 'binary expression must contain only scalar and instant vector types')
    if (lt !== 'vector' || rt !== 'vector') {
      if (matching.labels.length > 0)
        throw this.error(expr.from, 'vector matching only allowed between instant vectors')
      if (set) throw this.error(expr.from, `set operator "${op}" not allowed in binary scalar expression`)
    } else if (set && matching.card !== 'one-to-one')
      throw this.error(expr.from, `no grouping allowed for "${op}" operation`)
  }

  private call({ function: name, args, from }: Call): void {
    const { args: types, variadic } = FUNCTIONS.get(name)!
    const counted = (how: string, wanted: number) =>
      this.error(from, `expected ${how}${wanted} argument(s) in call to "${name}", got ${args.length}`)
    const least = types.length - 1
    if (variadic === 0 && args.length !== types.length) throw counted('', types.length)
    if (variadic !== 0 && args.length < least) throw counted('at least ', least)
    if (variadic > 0 && args.length > least + variadic) throw counted('at most ', least + variadic)
    for (const [i, arg] of args.entries())
      this.expect(arg, types[Math.min(i, types.length - 1)]!, `call to function "${name}"`)
  }

  private selector({ metric, matchers, from }: VectorSelector): void {
    if (metric !== undefined) {
      const twice = matchers.slice(0, -1).find(({ name }) => name === '__name__')
      if (twice)
        throw this.error(
          from,
          `metric name must not be set twice: ${JSON.stringify(metric)} or ${JSON.stringify(twice.value)}`,
        )
    } else if (!matchers.some((matcher) => !matcher.matches('')))
      throw this.error(from, 'vector selector must contain at least one non-empty matcher')
  }

  private expect(expr: Expr, wanted: ValueType, context: string): void {
    const type = this.check(expr)
    if (type !== wanted)
      throw this.error(
        expr.from,
        `expected type ${DOCUMENTED_TYPE[wanted]} in ${context}, got ${DOCUMENTED_TYPE[type]}`,
      )
  }

  private error(at: number, message: string) {
    return errorAt(this.source, at, message, 'PROMQL_TYPE')
  }
}
