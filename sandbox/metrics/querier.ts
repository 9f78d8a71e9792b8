import type { Us } from '../world/time.ts'

/** What answers instant PromQL queries: ours over the simulated store, or a real Prometheus. */
export interface Querier {
  /** Evaluates `expr` at `at`. Throws a `QueryError`. */
  instant(expr: string, at: Us): QueryValue
}

/** Labels of a series, with `__name__` where it has one; in alphabetical order. */
export type Labels = Readonly<Record<string, string>>

export type QueryValue =
  | { readonly type: 'vector'; readonly samples: readonly { readonly labels: Labels; readonly value: number }[] }
  | { readonly type: 'scalar'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }

/** A query that cannot be answered. `unsupported`: valid PromQL that this engine refuses by name; a verdict that rests on it is INVALID. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  readonly code: 'PROMQL_PARSE' | 'PROMQL_TYPE' | 'PROMQL_EXECUTION' | 'PROMQL_UNSUPPORTED' | 'PROMQL_UNAVAILABLE'

  constructor(code: QueryError['code'], message: string) {
    super(message)
    this.code = code
  }
}
