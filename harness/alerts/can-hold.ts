import type { Expr, VectorSelector } from '../../sandbox/metrics/promql/ast.ts'

/** What is known of the series a selector asks for, before anything runs. */
export type Known =
  | { readonly kind: 'there' }
  /** They cannot exist on this platform. */
  | { readonly kind: 'never'; readonly why: string; readonly fix: string }
  /** A real platform may have them, and the simulated one has not. */
  | { readonly kind: 'notSimulated'; readonly why: string; readonly name: string }

export type SelectorIs = (selector: VectorSelector) => Known

/**
 * The selectors for whose sake an expression can never have a result, whatever the rest of it does; empty where it may have one. With `or`
 * one side is enough; what `absent` asks for, and what stands behind `unless`, may be missing.
 */
export function whyNever(expr: Expr, is: SelectorIs): VectorSelector[] {
  switch (expr.node) {
    case 'vector selector':
      return is(expr).kind === 'never' ? [expr] : []
    case 'matrix selector':
      return whyNever(expr.selector, is)
    case 'subquery':
    case 'unary':
    case 'parentheses':
      return whyNever(expr.expr, is)
    case 'aggregation':
      return whyNever(expr.expr, is)
    case 'call':
      return OF_NOTHING.has(expr.function) ? [] : firstOf(expr.args.map((arg) => whyNever(arg, is)))
    case 'binary':
      return ofBoth(expr, whyNever(expr.left, is), whyNever(expr.right, is))
    default:
      return []
  }
}

/** Functions that make something of nothing. */
const OF_NOTHING: ReadonlySet<string> = new Set(['absent', 'absent_over_time', 'scalar', 'vector', 'time', 'pi'])

const firstOf = (all: readonly VectorSelector[][]): VectorSelector[] => all.find((one) => one.length > 0) ?? []

function ofBoth({ op }: Expr & { node: 'binary' }, left: VectorSelector[], right: VectorSelector[]): VectorSelector[] {
  if (op === 'or') return left.length > 0 && right.length > 0 ? [...left, ...right] : []
  return op === 'unless' ? left : firstOf([left, right])
}
