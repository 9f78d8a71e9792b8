import { QueryError } from '../querier.ts'

/** An error at a place of an expression, worded as Prometheus does: `1:6: parse error: …`; the column counts bytes. */
export function errorAt(
  source: string,
  at: number,
  message: string,
  code: 'PROMQL_PARSE' | 'PROMQL_TYPE' | 'PROMQL_UNSUPPORTED' = 'PROMQL_PARSE',
): QueryError {
  const before = source.slice(0, at)
  const line = before.split('\n').length
  const column = new TextEncoder().encode(before.slice(before.lastIndexOf('\n') + 1)).length + 1
  return new QueryError(code, `${line}:${column}: ${code === 'PROMQL_UNSUPPORTED' ? '' : 'parse error: '}${message}`)
}

/** Valid PromQL that this engine does not answer: refused by its name, never answered wrongly. */
export const unsupported = (source: string, at: number, what: string): QueryError =>
  errorAt(
    source,
    at,
    `${what} is valid PromQL that Seatrial does not evaluate; rewrite the query without it`,
    'PROMQL_UNSUPPORTED',
  )

/** An error only the data brings out. */
export const executionError = (message: string): QueryError => new QueryError('PROMQL_EXECUTION', message)
