import { minutes, type Us } from '../../world/time.ts'
import type { Querier, QueryValue } from '../querier.ts'
import { type SeriesSource, Tsdb } from '../tsdb/tsdb.ts'
import { type StringLiteral, unwrap } from './ast.ts'
import { check } from './check.ts'
import { Compiler } from './compile.ts'
import type { Evaluation } from './context.ts'
import { unsupported } from './errors.ts'
import { parse } from './parser.ts'

export interface EngineOptions {
  /** How old the latest sample of a series may be. Prometheus: 5 min. */
  readonly lookback?: Us
  /** The step of subqueries that give none: Prometheus' evaluation interval, 1 min unless configured. */
  readonly subqueryStep?: Us
}

type Plan = (evaluation: Evaluation) => QueryValue

/** Distinct expressions kept compiled. */
const CACHE_LIMIT = 10_000

/**
 * Evaluates instant queries as Prometheus 3 does. An expression is parsed and compiled when it is first asked, and remembers which
 * series it selects for as long as the store's series stay the same.
 */
export class Engine {
  private readonly source: SeriesSource
  private readonly lookbackMs: number
  private readonly compiler: Compiler
  private readonly plans = new Map<string, Plan>()

  constructor(source: SeriesSource, options: EngineOptions = {}) {
    this.source = source
    this.lookbackMs = (options.lookback ?? minutes(5)) / 1e3
    this.compiler = new Compiler({ subqueryStepMs: (options.subqueryStep ?? minutes(1)) / 1e3 })
  }

  /** Throws a `QueryError` when the expression is not one this engine evaluates; does not evaluate it. */
  validate(expr: string): void {
    this.plan(expr)
  }

  /** Evaluates `expr` at Unix milliseconds. Throws a `QueryError`. */
  instantMs(expr: string, ms: number): QueryValue {
    const { source, lookbackMs } = this
    return this.plan(expr)({ source, lookbackMs, nowMs: ms, queryMs: ms })
  }

  private plan(expr: string): Plan {
    const known = this.plans.get(expr)
    if (known) return known
    const plan = this.compile(expr)
    if (this.plans.size >= CACHE_LIMIT) this.plans.clear()
    this.plans.set(expr, plan)
    return plan
  }

  private compile(source: string): Plan {
    const expr = parse(source)
    switch (check(source, expr)) {
      case 'scalar': {
        const plan = this.compiler.scalar(expr)
        return (evaluation) => ({ type: 'scalar', value: plan(evaluation) })
      }
      case 'string': {
        const { value } = unwrap(expr) as StringLiteral
        return () => ({ type: 'string', value })
      }
      case 'vector': {
        const plan = this.compiler.vector(expr)
        return (evaluation) => ({
          type: 'vector',
          samples: plan(evaluation).map(({ labels, value }) => ({ labels: labels.record, value })),
        })
      }
      default:
        throw unsupported(source, expr.from, 'a range vector as the result')
    }
  }
}

/** Throws a `QueryError` when an expression is not one this engine evaluates. */
export function checkExpression(expr: string): void {
  new Engine(new Tsdb()).validate(expr)
}

/** Answers queries from the simulation's store, in trial time. */
export class TsdbQuerier implements Querier {
  private readonly tsdb: Tsdb
  private readonly engine: Engine

  constructor(tsdb: Tsdb, options: EngineOptions = {}) {
    this.tsdb = tsdb
    this.engine = new Engine(tsdb, options)
  }

  instant(expr: string, at: Us): QueryValue {
    return this.engine.instantMs(expr, this.tsdb.toMs(at))
  }

  validate(expr: string): void {
    this.engine.validate(expr)
  }
}
