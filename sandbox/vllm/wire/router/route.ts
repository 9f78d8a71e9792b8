import type { Handler } from '../http.ts'
import type { Serving } from '../serving.ts'

/** Those that routes take; others are answered 405. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE'

/** A route of vLLM's API server. A list of them is one file under `wire/routes`; their order is that of `router/table.ts`. */
export interface Route {
  /** As upstream registers it: `/v1/responses/{response_id}`. Also the `handler` label of the `http_` metrics. */
  readonly path: string
  readonly methods: readonly Method[]
  /** A mounted application: it answers every method, and every path that begins so. The log does not list it. */
  readonly mount?: true
  /** Whether this server has it. Left out: always. */
  when?(serving: Serving): boolean
  /** Called once for each server. */
  handler(serving: Serving): Handler
  /** Counts in `/load` while it is answered, where `--enable-server-load-tracking` is set. */
  readonly counted?: true
}
