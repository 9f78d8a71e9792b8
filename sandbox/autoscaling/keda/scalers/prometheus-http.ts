import { type Querier, QueryError, type QueryValue } from '../../../metrics/querier.ts'
import { sleep, type Task } from '../../../world/actor.ts'
import { seconds, toRfc3339, type Us } from '../../../world/time.ts'
import { KedaError } from '../errors.ts'

/** A Prometheus as a scaler meets it over the network. */
export interface PrometheusServer {
  readonly querier: Querier
  /** How it does at present; absent: it answers at once. */
  condition?(now: Us): PrometheusCondition
}

export interface PrometheusCondition {
  readonly latency: Us
  /** `refused`: nobody listens. `silent`: no answer comes. A number: the HTTP status it answers with. */
  readonly failure?: 'refused' | 'silent' | number
}

/** Which server an address leads to; undefined: no such host. */
export type PrometheusLookup = (serverAddress: string) => PrometheusServer | undefined

export interface PrometheusRequest {
  readonly serverAddress: string
  readonly query: string
  readonly timeout: Us
  /** Told of valid PromQL that the querier cannot evaluate. */
  refused(message: string): void
}

/** KEDA_HTTP_DEFAULT_TIMEOUT. */
export const DEFAULT_TIMEOUT: Us = seconds(3)

/** One GET of /api/v1/query at the present second. Throws a KedaError with the words of Go's client. */
// follows pkg/scalers/prometheus_scaler.go ExecutePromQuery
export function* queryPrometheus(
  request: PrometheusRequest,
  lookup: PrometheusLookup,
  clock: { readonly now: Us },
): Task<QueryValue> {
  const { serverAddress, query, timeout } = request
  const at = seconds(Math.floor(clock.now / seconds(1)))
  const url = `${serverAddress}/api/v1/query?query=${queryEscape(query)}&time=${toRfc3339(at)}`
  const host = hostOf(serverAddress)
  if (host === undefined) throw new KedaError(`Get "${url}": unsupported protocol scheme ""`)
  const server = lookup(serverAddress)
  if (!server) throw new KedaError(`Get "${url}": dial tcp: lookup ${host.replace(/:\d+$/, '')}: no such host`)
  const { latency, failure } = server.condition?.(clock.now) ?? { latency: 0 }
  if (failure === 'refused') throw new KedaError(`Get "${url}": dial tcp ${host}: connect: connection refused`)
  if (failure === 'silent' || latency > timeout) {
    yield* sleep(timeout)
    throw new KedaError(`Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`)
  }
  const answer = typeof failure === 'number' ? failure : answerOf(server.querier, request, at)
  if (latency > 0) yield* sleep(latency)
  if (typeof answer === 'number') throw new KedaError(`prometheus query api returned error. status: ${answer}`)
  return answer
}

/** The result, or the HTTP status Prometheus gives for an error. */
function answerOf(querier: Querier, { query, refused }: PrometheusRequest, at: Us): QueryValue | number {
  try {
    return querier.instant(query, at)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    if (error.code === 'PROMQL_UNSUPPORTED') refused(error.message)
    return STATUS[error.code]
  }
}

const STATUS: Readonly<Record<QueryError['code'], number>> = {
  PROMQL_PARSE: 400,
  PROMQL_TYPE: 400,
  PROMQL_EXECUTION: 422,
  PROMQL_UNSUPPORTED: 422,
  PROMQL_UNAVAILABLE: 503,
}

/** `host:port`, or undefined where the address is no URL. */
function hostOf(address: string): string | undefined {
  const [, scheme, host] = /^(https?):\/\/([^/?#]+)/.exec(address) ?? []
  if (!host) return undefined
  return /:\d+$/.test(host) ? host : `${host}:${scheme === 'https' ? 443 : 80}`
}

/** As Go's url.QueryEscape. */
const queryEscape = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
