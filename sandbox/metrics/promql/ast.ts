import type { Matcher } from '../tsdb/matcher.ts'

/** Parsed expressions. Every node says where it stands in the source (`from`, `to`: offsets). Follows promql/parser/ast.go. */
export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregation
  | Binary
  | Unary
  | Parentheses

interface Node {
  readonly from: number
  readonly to: number
}

export interface NumberLiteral extends Node {
  readonly node: 'number'
  readonly value: number
}

export interface StringLiteral extends Node {
  readonly node: 'string'
  readonly value: string
}

/** `offset` and `@` of a selector or subquery. `at` is in Unix milliseconds, or the query's own time. */
export interface TimeShift {
  readonly offsetMs: number
  readonly at?: number | 'query'
}

export interface VectorSelector extends Node, TimeShift {
  readonly node: 'vector selector'
  /** The metric's name when it stands before the braces. */
  readonly metric?: string
  readonly matchers: readonly Matcher[]
}

export interface MatrixSelector extends Node {
  readonly node: 'matrix selector'
  readonly selector: VectorSelector
  readonly rangeMs: number
  /** With fractions of milliseconds, as rates are divided by. */
  readonly rangeSeconds: number
}

export interface Subquery extends Node, TimeShift {
  readonly node: 'subquery'
  readonly expr: Expr
  readonly rangeMs: number
  readonly rangeSeconds: number
  /** Undefined: the engine's default. */
  readonly stepMs: number | undefined
}

export interface Call extends Node {
  readonly node: 'call'
  readonly function: string
  readonly args: readonly Expr[]
}

export interface Aggregation extends Node {
  readonly node: 'aggregation'
  readonly op: string
  readonly expr: Expr
  readonly param: Expr | undefined
  readonly grouping: readonly string[]
  readonly without: boolean
}

export interface Matching {
  readonly on: boolean
  readonly labels: readonly string[]
  /** Labels taken over from the «one» side. */
  readonly include: readonly string[]
  readonly card: 'one-to-one' | 'many-to-one' | 'one-to-many'
}

export interface Binary extends Node {
  readonly node: 'binary'
  readonly op: string
  /** Where the operator stands. */
  readonly opFrom: number
  readonly left: Expr
  readonly right: Expr
  readonly bool: boolean
  readonly matching: Matching
}

export interface Unary extends Node {
  readonly node: 'unary'
  readonly op: '+' | '-'
  readonly expr: Expr
}

export interface Parentheses extends Node {
  readonly node: 'parentheses'
  readonly expr: Expr
}

/** The expression inside any parentheses. */
export function unwrap(expr: Expr): Expr {
  return expr.node === 'parentheses' ? unwrap(expr.expr) : expr
}

export const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless'])
export const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>='])
export const PARAMETRIC_AGGREGATIONS: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
])
