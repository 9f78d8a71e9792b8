import { LoraActivity } from './metric-lora.ts'

/** Upper bounds and counts of one histogram; observing allocates nothing. */
export class Histogram {
  readonly bounds: Float64Array
  /** Per bucket, not cumulative; the last is +Inf. */
  readonly counts: Float64Array
  sum = 0
  private last = 0

  constructor(bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds)
    this.counts = new Float64Array(bounds.length + 1)
  }

  /** Observes `value`, `times` over. Values tend to repeat, so the search starts where the last one ended. */
  observe(value: number, times = 1): void {
    const { bounds } = this
    let i = this.last
    while (i < bounds.length && value > bounds[i]!) i++
    while (i > 0 && value <= bounds[i - 1]!) i--
    this.last = i
    this.counts[i] = this.counts[i]! + times
    this.sum += value * times
  }

  get count(): number {
    return this.counts.reduce((sum, n) => sum + n, 0)
  }
}

/** The buckets of vllm/v1/metrics/buckets.py of vLLM 0.32, by family. */
export const BUCKETS = {
  requestLatency: [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680],
  timeToFirstToken: [
    ...[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75],
    ...[1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560],
  ],
  interTokenLatency: [
    ...[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75],
    ...[1, 2.5, 5, 7.5, 10, 20, 40, 80],
  ],
  iterationTokens: [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384],
  requestParamsN: [1, 2, 5, 10, 20],
  requestNumPreemptions: [1, 2, 3, 4, 5, 10, 20],
} as const

/** 1, 2, 5, 10, … up to `max`: the buckets of token counts. */
export function tokenBuckets(max: number): number[] {
  const bounds: number[] = []
  for (let power = 1; power <= max; power *= 10) {
    for (const mantissa of [1, 2, 5]) if (mantissa * power <= max) bounds.push(mantissa * power)
  }
  return bounds
}

export type HistogramName = {
  [K in keyof EngineMetrics]: EngineMetrics[K] extends Histogram ? K : never
}[keyof EngineMetrics]

/** Upper bounds where a version of vLLM has others than `BUCKETS`. */
export type HistogramBuckets = Readonly<Partial<Record<HistogramName, readonly number[]>>>

/** Everything vLLM counts while it serves, in its units (seconds, tokens). */
// follows PrometheusStatLogger in vllm/v1/metrics/loggers.py and vllm/v1/metrics/stats.py
export class EngineMetrics {
  running = 0
  waiting = 0
  waitingDeferred = 0
  kvCacheUsage = 0
  prefixCacheQueries = 0
  prefixCacheHits = 0
  preemptions = 0
  promptTokens = 0
  promptTokensComputed = 0
  promptTokensCached = 0
  generationTokens = 0
  readonly success = { stop: 0, length: 0, abort: 0, error: 0, repetition: 0 }
  readonly iterationTokens: Histogram
  readonly timeToFirstToken: Histogram
  readonly interTokenLatency: Histogram
  readonly timePerOutputToken: Histogram
  readonly e2e: Histogram
  readonly queueTime: Histogram
  readonly inferenceTime: Histogram
  readonly prefillTime: Histogram
  readonly decodeTime: Histogram
  readonly requestPreemptions: Histogram
  readonly paramsN: Histogram
  readonly requestPromptTokens: Histogram
  readonly requestGenerationTokens: Histogram
  readonly requestMaxGenerationTokens: Histogram
  readonly requestMaxTokens: Histogram
  readonly prefillKvComputed: Histogram
  /** Only of a server with LoRA. */
  readonly lora: LoraActivity | undefined

  constructor(maxModelLen: number, buckets: HistogramBuckets = {}, enableLora = false) {
    this.lora = enableLora ? new LoraActivity() : undefined
    const histogram = (name: HistogramName, usual: readonly number[]) => new Histogram(buckets[name] ?? usual)
    this.iterationTokens = histogram('iterationTokens', BUCKETS.iterationTokens)
    this.timeToFirstToken = histogram('timeToFirstToken', BUCKETS.timeToFirstToken)
    this.interTokenLatency = histogram('interTokenLatency', BUCKETS.interTokenLatency)
    this.timePerOutputToken = histogram('timePerOutputToken', BUCKETS.interTokenLatency)
    this.e2e = histogram('e2e', BUCKETS.requestLatency)
    this.queueTime = histogram('queueTime', BUCKETS.requestLatency)
    this.inferenceTime = histogram('inferenceTime', BUCKETS.requestLatency)
    this.prefillTime = histogram('prefillTime', BUCKETS.requestLatency)
    this.decodeTime = histogram('decodeTime', BUCKETS.requestLatency)
    this.requestPreemptions = histogram('requestPreemptions', BUCKETS.requestNumPreemptions)
    this.paramsN = histogram('paramsN', BUCKETS.requestParamsN)
    const tokens = tokenBuckets(maxModelLen)
    this.requestPromptTokens = new Histogram(tokens)
    this.requestGenerationTokens = new Histogram(tokens)
    this.requestMaxGenerationTokens = new Histogram(tokens)
    this.requestMaxTokens = new Histogram(tokens)
    this.prefillKvComputed = new Histogram(tokens)
  }
}
