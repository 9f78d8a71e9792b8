import type { Expr, VectorSelector } from '../../../../sandbox/metrics/promql/ast.ts'
import { parse } from '../../../../sandbox/metrics/promql/parser.ts'

/** A name a query selects series by. */
export type SelectedName =
  | { readonly kind: 'exact'; readonly name: string }
  /** `{__name__=~"vllm:.*"}`, or a selector without a name, which any name matches. */
  | { readonly kind: 'pattern'; readonly text: string; matches(name: string): boolean }

/** The names a PromQL expression selects by, each once. Throws a `QueryError`. */
export function namesIn(query: string): SelectedName[] {
  const found = new Map<string, SelectedName>()
  for (const selector of selectorsOf(parse(query)))
    for (const name of namesOf(selector)) found.set(name.kind === 'exact' ? name.name : `~${name.text}`, name)
  return [...found.values()]
}

/** Every selector of an expression. */
export function* selectorsOf(expr: Expr): Generator<VectorSelector> {
  switch (expr.node) {
    case 'vector selector':
      yield expr
      return
    case 'matrix selector':
      yield expr.selector
      return
    case 'call':
      for (const arg of expr.args) yield* selectorsOf(arg)
      return
    case 'aggregation':
      if (expr.param) yield* selectorsOf(expr.param)
      yield* selectorsOf(expr.expr)
      return
    case 'binary':
      yield* selectorsOf(expr.left)
      yield* selectorsOf(expr.right)
      return
    case 'subquery':
    case 'unary':
    case 'parentheses':
      yield* selectorsOf(expr.expr)
  }
}

/** Alternatives of plain names, as in `a|b`, are names. */
const PLAIN_NAMES = /^\^?(?:\(\??:?)?([\w:]+(?:\|[\w:]+)*)\)?\$?$/

/** The names one selector asks for: several where it lists them. */
export function namesOf({ metric, matchers }: VectorSelector): SelectedName[] {
  if (metric !== undefined) return [{ kind: 'exact', name: metric }]
  const named = matchers.filter(({ name }) => name === '__name__')
  const [only] = named
  if (named.length === 1 && only!.type === '=') return [{ kind: 'exact', name: only!.value }]
  const plain = named.length === 1 && only!.type === '=~' ? PLAIN_NAMES.exec(only!.value)?.[1] : undefined
  if (plain !== undefined) return plain.split('|').map((name) => ({ kind: 'exact', name }))
  const text = named.map(({ type, value }) => `__name__${type}"${value}"`).join(',') || 'any name'
  return [{ kind: 'pattern', text, matches: (name) => named.every((matcher) => matcher.matches(name)) }]
}
