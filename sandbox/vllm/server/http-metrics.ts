import type { MetricFamily, Sample } from '../../metrics/sample.ts'
import type { Clock } from '../../world/clock.ts'
import { EPOCH_MS, toSeconds } from '../../world/time.ts'
import { formatFloat } from '../engine/metric-text.ts'
import { Histogram } from '../engine/metrics.ts'

/** A request that has been answered, or whose client has left. */
export interface CountedRequest {
  /**
   * The template of the route it was answered by; of a redirect the path that was asked for. Undefined where no route has both the path and
   * the method.
   */
  readonly handler: string | undefined
  /** As asked for, decoded, without the query. */
  readonly path: string
  readonly method: string
  /** 200 of a client that has left, unless another status was sent. */
  readonly status: number
  /** As the header content-length says; 0 without it. */
  readonly requestBytes: number
  readonly responseBytes: number
  /** To the end of a stream. */
  readonly seconds: number
}

/** Paths that have one of these in them anywhere are not counted: `/v1/load_lora_adapter` is not. */
const EXCLUDED = ['/metrics', '/health', '/load', '/ping', '/version', '/server_info']

/** Upper bounds of prometheus-fastapi-instrumentator's two histograms. */
const MANY = [
  ...[0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5],
  ...[10, 30, 60],
]
const FEW = [0.1, 0.5, 1]

type Labels = Sample['labels']

/** The `http_` families of prometheus-fastapi-instrumentator, which vLLM's API server has. */
// follows prometheus_fastapi_instrumentator/middleware.py and metrics.py
export class HttpMetrics {
  requestsCounted = 0
  private readonly clock: Clock
  private readonly requests = new Children(() => ({ value: 0 }))
  private readonly requestBytes = new Children(() => ({ count: 0, sum: 0 }))
  private readonly responseBytes = new Children(() => ({ count: 0, sum: 0 }))
  private readonly durations = new Children((labels) => new LabelledHistogram(FEW, labels))
  private readonly all = new LabelledHistogram(MANY, [])
  private readonly since: number

  constructor(clock: Clock) {
    this.clock = clock
    this.since = this.unixSeconds()
  }

  /** Counts a request at its end; not one that CORS or a missing key has refused, nor one that is no HTTP: those never get here. */
  count({ handler: route, path, method, status, requestBytes, responseBytes, seconds }: CountedRequest): void {
    if (EXCLUDED.some((part) => (route ?? path).includes(part))) return
    const handler = ['handler', route ?? 'none'] as const
    this.requestsCounted++
    const now = this.unixSeconds()
    const perStatus = [handler, ['method', method], ['status', `${Math.floor(status / 100)}xx`]] as const
    this.requests.at(perStatus, now).value++
    add(this.requestBytes.at([handler], now), requestBytes)
    add(this.responseBytes.at([handler], now), responseBytes)
    this.all.histogram.observe(seconds)
    this.durations.at([handler, ['method', method]], now).histogram.observe(seconds)
  }

  families(): MetricFamily[] {
    return [
      ...family('http_requests_total', REQUESTS_HELP, 'counter', this.requests, (labels, { value }) => [
        { name: 'http_requests_total', labels, value },
      ]),
      ...sizes('http_request_size_bytes', 'incoming requests', this.requestBytes),
      ...sizes('http_response_size_bytes', 'outgoing responses', this.responseBytes),
      { name: MANY_NAME, help: MANY_HELP, type: 'histogram', samples: this.all.samples(MANY_NAME) },
      created(MANY_NAME, MANY_HELP, [{ labels: this.all.labels, since: this.since }]),
      ...family(FEW_NAME, FEW_HELP, 'histogram', this.durations, (_, histogram) => histogram.samples(FEW_NAME)),
    ]
  }

  private unixSeconds(): number {
    return EPOCH_MS / 1e3 + toSeconds(this.clock.now)
  }
}

const REQUESTS_HELP = 'Total number of requests by method, status and handler.'
const MANY_NAME = 'http_request_duration_highr_seconds'
const MANY_HELP =
  'Latency with many buckets but no API specific labels. Made for more accurate percentile calculations. '
const FEW_NAME = 'http_request_duration_seconds'
const FEW_HELP =
  'Latency with only few buckets by handler. Made to be only used if aggregation by handler is important. '

/** Names of the samples there are, once a request was counted. */
export const HTTP_METRIC_NAMES: readonly string[] = [
  'http_requests_total',
  'http_requests_created',
  ...['http_request_size_bytes', 'http_response_size_bytes'].flatMap((name) => ends(name, 'count', 'sum', 'created')),
  ...[MANY_NAME, FEW_NAME].flatMap((name) => ends(name, 'bucket', 'count', 'sum', 'created')),
]

function ends(name: string, ...of: readonly string[]): string[] {
  return of.map((end) => `${name}_${end}`)
}

/** Values by labels, in the order in which they came, with their Unix time. */
class Children<T> {
  readonly list: { readonly labels: Labels; readonly since: number; readonly value: T }[] = []
  private readonly known = new Map<string, T>()
  private readonly make: (labels: Labels) => T

  constructor(make: (labels: Labels) => T) {
    this.make = make
  }

  at(labels: Labels, since: number): T {
    const key = labels.map(([, value]) => value).join('\n')
    let value = this.known.get(key)
    if (value === undefined) {
      value = this.make(labels)
      this.known.set(key, value)
      this.list.push({ labels, since, value })
    }
    return value
  }
}

/** A family with its `_created` one, which is there once it has children. */
function family<T>(
  name: string,
  help: string,
  type: MetricFamily['type'],
  { list }: Children<T>,
  samplesOf: (labels: Labels, value: T) => Sample[],
): MetricFamily[] {
  const samples = list.flatMap(({ labels, value }) => samplesOf(labels, value))
  const whole: MetricFamily = { name, help, type, samples }
  return list.length > 0 ? [whole, created(name.replace(/_total$/, ''), help, list)] : [whole]
}

function created(name: string, help: string, of: readonly { labels: Labels; since: number }[]): MetricFamily {
  const samples = of.map(({ labels, since }) => ({ name: `${name}_created`, labels, value: since }))
  return { name: `${name}_created`, help, type: 'gauge', samples }
}

function sizes(name: string, what: string, children: Children<{ count: number; sum: number }>): MetricFamily[] {
  const help = `Content length of ${what} by handler. Only value of header is respected. Otherwise ignored. No percentile calculated. `
  return family(name, help, 'summary', children, (labels, { count, sum }) => [
    { name: `${name}_count`, labels, value: count },
    { name: `${name}_sum`, labels, value: sum },
  ])
}

function add(summary: { count: number; sum: number }, value: number): void {
  summary.count++
  summary.sum += value
}

/** A histogram whose label lists are made once. */
export class LabelledHistogram {
  readonly histogram: Histogram
  readonly labels: Labels
  private readonly bucketLabels: readonly Labels[]

  constructor(bounds: readonly number[], labels: Labels) {
    this.histogram = new Histogram(bounds)
    this.labels = labels
    this.bucketLabels = [...bounds.map(formatFloat), '+Inf'].map((bound) =>
      [...labels, ['le', bound] as const].sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  }

  samples(name: string): Sample[] {
    const { counts, sum } = this.histogram
    let cumulative = 0
    const samples = this.bucketLabels.map((labels, i): Sample => {
      cumulative += counts[i]!
      return { name: `${name}_bucket`, labels, value: cumulative }
    })
    const { labels } = this
    return [
      ...samples,
      { name: `${name}_count`, labels, value: cumulative },
      { name: `${name}_sum`, labels, value: sum },
    ]
  }
}
