import type { MetricFamily, Sample } from '../../metrics/sample.ts'
import type { Clock } from '../../world/clock.ts'
import { EPOCH_MS, toSeconds } from '../../world/time.ts'
import { formatFloat } from '../engine/metric-families.ts'
import { Histogram } from '../engine/metrics.ts'

const HANDLER = ['handler', '/v1/chat/completions'] as const
const METHOD = ['method', 'POST'] as const

/** Upper bounds of prometheus-fastapi-instrumentator's two histograms. */
const MANY = [
  ...[0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5],
  ...[10, 30, 60],
]
const FEW = [0.1, 0.5, 1]

/**
 * The `http_` families of prometheus-fastapi-instrumentator, which vLLM's API server has. Probes and scrapes are not counted
 * there. Sizes are left out: the simulator has no bodies.
 */
export class HttpMetrics {
  private readonly clock: Clock
  private readonly byStatus = new Map<string, { count: number; createdAt: number }>()
  private readonly many = new Histogram(MANY)
  private readonly few = new Histogram(FEW)
  private readonly since: number
  private fewSince: number | undefined

  constructor(clock: Clock) {
    this.clock = clock
    this.since = this.unixSeconds()
  }

  /** A request that ended. `status` like `2xx`. */
  count(status: string, durationSeconds: number): void {
    const known = this.byStatus.get(status)
    if (known) known.count++
    else this.byStatus.set(status, { count: 1, createdAt: this.unixSeconds() })
    this.fewSince ??= this.unixSeconds()
    this.many.observe(durationSeconds)
    this.few.observe(durationSeconds)
  }

  families(): MetricFamily[] {
    const perHandler = this.fewSince === undefined ? [] : histogram(FEW_NAME, [HANDLER, METHOD], this.few)
    return [
      ...this.requests(),
      { name: MANY_NAME, help: MANY_HELP, type: 'histogram', samples: histogram(MANY_NAME, [], this.many) },
      {
        name: `${MANY_NAME}_created`,
        help: MANY_HELP,
        type: 'gauge',
        samples: [{ name: `${MANY_NAME}_created`, labels: [], value: this.since }],
      },
      { name: FEW_NAME, help: FEW_HELP, type: 'histogram', samples: perHandler },
      {
        name: `${FEW_NAME}_created`,
        help: FEW_HELP,
        type: 'gauge',
        samples:
          this.fewSince === undefined
            ? []
            : [{ name: `${FEW_NAME}_created`, labels: [HANDLER, METHOD], value: this.fewSince }],
      },
    ]
  }

  private requests(): MetricFamily[] {
    const help = 'Total number of requests by method, status and handler.'
    const samples = (name: string, of: (entry: { count: number; createdAt: number }) => number): Sample[] =>
      [...this.byStatus].map(([status, entry]) => ({
        name,
        labels: [HANDLER, METHOD, ['status', status]],
        value: of(entry),
      }))
    return [
      { name: 'http_requests_total', help, type: 'counter', samples: samples('http_requests_total', (e) => e.count) },
      {
        name: 'http_requests_created',
        help,
        type: 'gauge',
        samples: samples('http_requests_created', (e) => e.createdAt),
      },
    ]
  }

  private unixSeconds(): number {
    return EPOCH_MS / 1e3 + toSeconds(this.clock.now)
  }
}

const MANY_NAME = 'http_request_duration_highr_seconds'
const MANY_HELP =
  'Latency with many buckets but no API specific labels. Made for more accurate percentile calculations. '
const FEW_NAME = 'http_request_duration_seconds'
const FEW_HELP =
  'Latency with only few buckets by handler. Made to be only used if aggregation by handler is important. '

/** Names of the samples there are. */
export const HTTP_METRIC_NAMES: readonly string[] = [
  'http_requests_total',
  'http_requests_created',
  ...[MANY_NAME, FEW_NAME].flatMap((name) => ['_bucket', '_count', '_sum', '_created'].map((end) => name + end)),
]

/** Names of the samples of sizes. */
export const HTTP_METRIC_NAMES_LEFT_OUT: readonly string[] = [
  'http_request_size_bytes',
  'http_response_size_bytes',
].flatMap((name) => ['_count', '_sum', '_created'].map((end) => name + end))

function histogram(name: string, labels: Sample['labels'], { bounds, counts, sum }: Histogram): Sample[] {
  const samples: Sample[] = []
  let cumulative = 0
  counts.forEach((count, i) => {
    cumulative += count
    const le = ['le', i < bounds.length ? formatFloat(bounds[i]!) : '+Inf'] as const
    const sorted = [...labels, le].sort(([a], [b]) => (a < b ? -1 : 1))
    samples.push({ name: `${name}_bucket`, labels: sorted, value: cumulative })
  })
  return [...samples, { name: `${name}_count`, labels, value: cumulative }, { name: `${name}_sum`, labels, value: sum }]
}
