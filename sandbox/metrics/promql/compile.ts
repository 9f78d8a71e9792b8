import { LabelSet, METADATA_LABELS } from '../tsdb/label-set.ts'
import { aggregation, countValues } from './aggregate.ts'
import {
  type Aggregation,
  type Binary,
  type Call,
  type Expr,
  SET_OPERATORS,
  type StringLiteral,
  unwrap,
} from './ast.ts'
import { scalarOperation, setOperation, vectorOperation, vectorScalarOperation } from './binary.ts'
import { typeOf } from './check.ts'
import type { RangePlan, ScalarPlan, VectorPlan } from './context.ts'
import { executionError } from './errors.ts'
import { histogramQuantile } from './histogram.ts'
import { DATE_FUNCTIONS, INSTANT_FUNCTIONS } from './instant-functions.ts'
import { isLabelName, labelJoin, labelReplace } from './label-functions.ts'
import { byValue } from './quantile.ts'
import { KEEPS_NAME, RANGE_FUNCTIONS } from './range-functions.ts'
import { instantSelector, rangeSelector, selectorTimes, subqueryRange } from './selectors.ts'
import { type Element, unique, type Vector } from './vector.ts'

export interface CompileOptions {
  /** The step of subqueries that give none. */
  readonly subqueryStepMs: number
}

/** Turns checked expressions into functions that evaluate them. Follows evaluator.eval of promql/engine.go. */
export class Compiler {
  private readonly options: CompileOptions

  constructor(options: CompileOptions) {
    this.options = options
  }

  scalar(expr: Expr): ScalarPlan {
    switch (expr.node) {
      case 'number': {
        const { value } = expr
        return () => value
      }
      case 'parentheses':
        return this.scalar(expr.expr)
      case 'unary': {
        const plan = this.scalar(expr.expr)
        return expr.op === '-' ? (evaluation) => -plan(evaluation) : plan
      }
      case 'binary': {
        const [left, right] = [this.scalar(expr.left), this.scalar(expr.right)]
        const operate = scalarOperation(expr.op)
        return (evaluation) => operate(left(evaluation), right(evaluation))
      }
      case 'call':
        return this.scalarCall(expr)
      default:
        throw new Error(`a ${expr.node} is no scalar`)
    }
  }

  private scalarCall({ function: name, args }: Call): ScalarPlan {
    if (name === 'time') return ({ nowMs }) => nowMs / 1000
    if (name === 'pi') return () => Math.PI
    const vector = this.vector(args[0]!)
    return (evaluation) => {
      const elements = vector(evaluation)
      return elements.length === 1 ? elements[0]!.value : Number.NaN
    }
  }

  vector(expr: Expr): VectorPlan {
    switch (expr.node) {
      case 'vector selector':
        return instantSelector(expr)
      case 'parentheses':
        return this.vector(expr.expr)
      case 'unary': {
        const plan = this.vector(expr.expr)
        if (expr.op === '+') return plan
        return mapped(plan, (value) => -value)
      }
      case 'aggregation':
        return this.aggregation(expr)
      case 'binary':
        return this.binary(expr)
      case 'call':
        return this.call(expr)
      default:
        throw new Error(`a ${expr.node} is no instant vector`)
    }
  }

  range(expr: Expr): RangePlan {
    if (expr.node === 'parentheses') return this.range(expr.expr)
    if (expr.node === 'matrix selector') return rangeSelector(expr)
    if (expr.node === 'subquery') return subqueryRange(expr, this.vector(expr.expr), this.options.subqueryStepMs)
    throw new Error(`a ${expr.node} is no range vector`)
  }

  private aggregation({ op, expr, param, grouping, without }: Aggregation): VectorPlan {
    const input = this.vector(expr)
    if (op === 'count_values') {
      const label = (unwrap(param!) as StringLiteral).value
      if (!isLabelName(label)) return raising(executionError(`invalid label name ${JSON.stringify(label)}`))
      const count = countValues(label, grouping, without)
      return (evaluation) => unique(count(input(evaluation)))
    }
    const aggregate = aggregation(op, grouping, without)
    const scalar = param ? this.scalar(param) : () => 0
    return (evaluation) => {
      const value = scalar(evaluation)
      return aggregate(input(evaluation), value)
    }
  }

  private binary(expr: Binary): VectorPlan {
    const [lt, rt] = [typeOf(expr.left), typeOf(expr.right)]
    if (lt === 'vector' && rt === 'vector') {
      const [left, right] = [this.vector(expr.left), this.vector(expr.right)]
      const operate = SET_OPERATORS.has(expr.op)
        ? setOperation(expr.op, expr.matching)
        : vectorOperation(expr, expr.matching)
      return (evaluation) => unique(operate(left(evaluation), right(evaluation)))
    }
    // the left side first: which error is told depends on it
    const operate = vectorScalarOperation(expr, lt === 'scalar')
    if (lt === 'vector') {
      const [vector, scalar] = [this.vector(expr.left), this.scalar(expr.right)]
      return (evaluation) => unique(operate(vector(evaluation), scalar(evaluation)))
    }
    const [scalar, vector] = [this.scalar(expr.left), this.vector(expr.right)]
    return (evaluation) => {
      const value = scalar(evaluation)
      return unique(operate(vector(evaluation), value))
    }
  }

  private call(call: Call): VectorPlan {
    const { function: name, args } = call
    if (RANGE_FUNCTIONS[name]) return this.rangeCall(call)
    if (INSTANT_FUNCTIONS[name]) return this.instantCall(call)
    if (DATE_FUNCTIONS[name]) return this.dateCall(call)
    switch (name) {
      case 'absent': {
        const [plan, labels] = [this.vector(args[0]!), absentLabels(args[0]!)]
        return (evaluation) => (plan(evaluation).length > 0 ? [] : [{ labels, value: 1 }])
      }
      case 'vector': {
        const plan = this.scalar(args[0]!)
        return (evaluation) => [{ labels: LabelSet.EMPTY, value: plan(evaluation) }]
      }
      case 'timestamp':
        return this.timestamp(args[0]!)
      case 'sort':
      case 'sort_desc':
        return sorted(this.vector(args[0]!), name === 'sort' ? 1 : -1)
      case 'histogram_quantile': {
        const [phi, plan, quantiles] = [this.scalar(args[0]!), this.vector(args[1]!), histogramQuantile()]
        return (evaluation) => unique(quantiles(phi(evaluation), plan(evaluation)))
      }
      default:
        return this.labelCall(call)
    }
  }

  private rangeCall({ function: name, args }: Call): VectorPlan {
    const overRange = args.findIndex((arg) => typeOf(arg) === 'matrix')
    const plan = this.range(args[overRange]!)
    const scalarArg = args.find((_, i) => i !== overRange)
    const scalar = scalarArg ? this.scalar(scalarArg) : () => 0
    const apply = RANGE_FUNCTIONS[name]!
    const keepsName = KEEPS_NAME.has(name)
    const absence = name === 'absent_over_time' ? absentLabels(args[0]!) : undefined
    return (evaluation) => {
      const ranges = plan(evaluation)
      const { startMs, endMs, rangeSeconds } = ranges
      const call = { startMs, endMs, rangeSeconds, nowMs: evaluation.nowMs, scalar: scalar(evaluation) }
      const elements: Element[] = []
      ranges.each((labels, window) => {
        const value = apply(window, call)
        if (value !== undefined) elements.push({ labels: keepsName ? labels : labels.nameless, value })
      })
      if (absence) return elements.length > 0 ? [] : [{ labels: absence, value: 1 }]
      return unique(elements)
    }
  }

  private instantCall({ function: name, args }: Call): VectorPlan {
    const plan = this.vector(args[0]!)
    const scalars = args.slice(1).map((arg) => this.scalar(arg))
    const apply = INSTANT_FUNCTIONS[name]!
    return (evaluation) => {
      const vector = plan(evaluation)
      const values = scalars.map((scalar) => scalar(evaluation))
      if (name === 'clamp' && values[1]! < values[0]!) return []
      return unique(vector.map(({ labels, value }) => ({ labels: labels.nameless, value: apply(value, values) })))
    }
  }

  private dateCall({ function: name, args }: Call): VectorPlan {
    const part = DATE_FUNCTIONS[name]!
    if (args.length > 0) return mapped(this.vector(args[0]!), (value) => part(value))
    return ({ nowMs }) => [{ labels: LabelSet.EMPTY, value: part(Math.trunc(nowMs / 1000)) }]
  }

  private timestamp(arg: Expr): VectorPlan {
    const selector = unwrap(arg)
    if (selector.node === 'vector selector') return mapped(selectorTimes(selector), (value) => value)
    const plan = this.vector(arg)
    return (evaluation) =>
      unique(plan(evaluation).map(({ labels }) => ({ labels: labels.nameless, value: evaluation.nowMs / 1000 })))
  }

  private labelCall({ function: name, args }: Call): VectorPlan {
    const plan = this.vector(args[0]!)
    const [target, second, ...rest] = args.slice(1).map((arg) => (unwrap(arg) as StringLiteral).value)
    try {
      const change =
        name === 'label_replace'
          ? labelReplace(target!, second!, rest[0]!, rest[1]!)
          : labelJoin(target!, second!, rest)
      return (evaluation) => change(plan(evaluation))
    } catch (error) {
      return raising(error)
    }
  }
}

/** An error that, as in Prometheus, evaluating brings out, not parsing. */
const raising =
  (error: unknown): VectorPlan =>
  () => {
    throw error
  }

const mapped =
  (plan: VectorPlan, change: (value: number) => number): VectorPlan =>
  (evaluation) =>
    unique(plan(evaluation).map(({ labels, value }) => ({ labels: labels.nameless, value: change(value) })))

/** NaN stands last in both directions. */
function sorted(plan: VectorPlan, direction: 1 | -1): VectorPlan {
  const compare = (a: Element, b: Element) => {
    if (Number.isNaN(a.value) || Number.isNaN(b.value)) return -byValue(a.value, b.value)
    return a.value === b.value ? 0 : direction * byValue(a.value, b.value)
  }
  return (evaluation): Vector => unique([...plan(evaluation)].sort(compare))
}

/** Labels that the selector fixes: what absent() can say about what is not there. Follows createLabelsForAbsentFunction. */
function absentLabels(arg: Expr): LabelSet {
  const expr = unwrap(arg)
  if (expr.node !== 'vector selector' && expr.node !== 'matrix selector') return LabelSet.EMPTY
  const { matchers } = expr.node === 'vector selector' ? expr : expr.selector
  const fixed: Record<string, string> = {}
  const seen = new Set<string>()
  for (const { name, type, value } of matchers) {
    if (METADATA_LABELS.includes(name)) continue
    if (type === '=' && !seen.has(name)) {
      fixed[name] = value
      seen.add(name)
    } else delete fixed[name]
  }
  return LabelSet.of(fixed)
}
