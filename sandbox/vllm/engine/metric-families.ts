import type { MetricFamily, Sample } from '../../metrics/sample.ts'
import { EPOCH_MS, type Us } from '../../world/time.ts'
import type { EngineMetrics, Histogram } from './metrics.ts'

export interface FamilyOptions {
  readonly modelName: string
  /** Rank of the engine among data-parallel ones. Default 0. */
  readonly engine?: number
  /** When the metrics were registered, in trial time: the `_created` samples. */
  readonly createdAt: Us
  /** Labels of vllm:cache_config_info beside `engine`; without them the family is left out. */
  readonly cacheConfig?: Readonly<Record<string, string>>
  /** 0 awake, 1 weights offloaded, 2 all discarded. Default 0. */
  readonly sleepLevel?: 0 | 1 | 2
  /** Leaves out families of which no sample has one of these names. */
  readonly wanted?: ReadonlySet<string>
  /** Keeps label lists between calls: scrapes of one engine then share them. */
  readonly labelCache?: LabelCache
}

/** Label lists by their extra label. One for each engine: of one model name and rank. */
export type LabelCache = Map<string, Map<string, readonly (readonly [string, string])[]>>

/** All `vllm:` families of a server without connectors, LoRA or speculative decoding, in the order vLLM exposes them. */
// follows PrometheusStatLogger.__init__ in vllm/v1/metrics/loggers.py; names and texts are its own
export function metricFamilies(metrics: EngineMetrics, options: FamilyOptions): MetricFamily[] {
  const build = new Builder(options)
  for (const [what, text] of PERF_COUNTERS)
    build.counter(
      `vllm:estimated_${what}_per_gpu`,
      `Estimated number of ${text} (for Model Flops Utilization calculations).`,
      0,
    )
  addSchedulerState(build, metrics, options.sleepLevel ?? 0)
  addCounters(build, metrics)
  for (const [name, help, histogram] of histogramsOf(metrics)) build.histogram(name, help, histogram)
  if (options.cacheConfig)
    build.info('vllm:cache_config_info', 'Information of the LLMEngine CacheConfig', options.cacheConfig)
  return build.families
}

const PERF_COUNTERS = [
  ['flops', 'floating point operations per GPU'],
  ['read_bytes', 'bytes read from memory per GPU'],
  ['write_bytes', 'bytes written to memory per GPU'],
] as const

function addSchedulerState(build: Builder, metrics: EngineMetrics, sleepLevel: 0 | 1 | 2): void {
  build.gauge('vllm:num_requests_running', 'Number of requests in model execution batches.', metrics.running)
  build.gauge('vllm:num_requests_waiting', 'Number of requests waiting to be processed.', metrics.waiting)
  build.gauge(
    'vllm:num_requests_waiting_by_reason',
    "Number of waiting requests by reason. Reason labels: 'capacity' = waiting for scheduling capacity; 'deferred' = deferred by transient constraints (LoRA budget, KV transfer, blocked status). Sum of all reasons equals vllm:num_requests_waiting.",
    { reason: { capacity: metrics.waiting - metrics.waitingDeferred, deferred: metrics.waitingDeferred } },
  )
  build.gauge(
    'vllm:engine_sleep_state',
    'Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake; weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level 2.',
    {
      sleep_state: {
        awake: sleepLevel === 0 ? 1 : 0,
        weights_offloaded: sleepLevel === 1 ? 1 : 0,
        discard_all: sleepLevel === 2 ? 1 : 0,
      },
    },
  )
  build.gauge('vllm:kv_cache_usage_perc', 'KV-cache usage. 1 means 100 percent usage.', metrics.kvCacheUsage)
}

function addCounters(build: Builder, metrics: EngineMetrics): void {
  const queried = 'in terms of number of queried tokens.'
  const cached = 'in terms of number of cached tokens.'
  const external = 'from KV connector cross-instance cache sharing,'
  build.counter('vllm:prefix_cache_queries', `Prefix cache queries, ${queried}`, metrics.prefixCacheQueries)
  build.counter('vllm:prefix_cache_hits', `Prefix cache hits, ${cached}`, metrics.prefixCacheHits)
  build.counter('vllm:external_prefix_cache_queries', `External prefix cache queries ${external} ${queried}`, 0)
  build.counter('vllm:external_prefix_cache_hits', `External prefix cache hits ${external} ${cached}`, 0)
  build.counter('vllm:mm_cache_queries', 'Multi-modal cache queries, in terms of number of queried items.', 0)
  build.counter('vllm:mm_cache_hits', 'Multi-modal cache hits, in terms of number of cached items.', 0)
  build.counter('vllm:num_preemptions', 'Cumulative number of preemption from the engine.', metrics.preemptions)
  build.counter('vllm:prompt_tokens', 'Number of prefill tokens processed.', metrics.promptTokens)
  build.counter('vllm:prompt_tokens_by_source', 'Number of prompt tokens by source.', {
    source: {
      local_compute: metrics.promptTokensComputed,
      local_cache_hit: metrics.promptTokensCached,
      external_kv_transfer: 0,
    },
  })
  const cachedHelp = 'Number of cached prompt tokens (local + external).'
  build.counter('vllm:prompt_tokens_cached', cachedHelp, metrics.promptTokensCached)
  build.counter(
    'vllm:prompt_tokens_cached_by_source',
    'Prefix-cache hit tokens by the cache tier that supplied them: device (local HBM), host (offloaded to DRAM), disk, p2p (transferred from another vLLM instance) or external_unspecified. Counted at admission; sums to vllm:prefix_cache_hits + vllm:external_prefix_cache_hits.',
    { source: { device: metrics.prefixCacheHits, host: 0, p2p: 0, disk: 0, external_unspecified: 0 } },
  )
  build.counter('vllm:generation_tokens', 'Number of generation tokens processed.', metrics.generationTokens)
  build.counter('vllm:request_success', 'Count of successfully processed requests.', {
    finished_reason: metrics.success,
  })
  build.counter(
    'vllm:admission_rejections',
    'Number of admission attempts rejected by a queue limit, by reason.',
    { reason: { max_num_queued_reqs: 0, max_num_queued_tokens: 0 } },
    false,
  )
}

function histogramsOf(m: EngineMetrics): [name: string, help: string, histogram: Histogram][] {
  const spent = (phase: string) => `Histogram of time spent in ${phase} phase for request.`
  return [
    ['vllm:request_prompt_tokens', 'Number of prefill tokens processed.', m.requestPromptTokens],
    ['vllm:request_generation_tokens', 'Number of generation tokens processed.', m.requestGenerationTokens],
    ['vllm:iteration_tokens_total', 'Histogram of number of tokens per engine_step.', m.iterationTokens],
    [
      'vllm:request_max_num_generation_tokens',
      'Histogram of maximum number of requested generation tokens.',
      m.requestMaxGenerationTokens,
    ],
    ['vllm:request_params_n', 'Histogram of the n request parameter.', m.paramsN],
    ['vllm:request_params_max_tokens', 'Histogram of the max_tokens request parameter.', m.requestMaxTokens],
    ['vllm:time_to_first_token_seconds', 'Histogram of time to first token in seconds.', m.timeToFirstToken],
    ['vllm:inter_token_latency_seconds', 'Histogram of inter-token latency in seconds.', m.interTokenLatency],
    [
      'vllm:request_time_per_output_token_seconds',
      'Histogram of time_per_output_token_seconds per request.',
      m.timePerOutputToken,
    ],
    ['vllm:e2e_request_latency_seconds', 'Histogram of e2e request latency in seconds.', m.e2e],
    ['vllm:request_queue_time_seconds', spent('WAITING'), m.queueTime],
    ['vllm:request_inference_time_seconds', spent('RUNNING'), m.inferenceTime],
    ['vllm:request_prefill_time_seconds', spent('PREFILL'), m.prefillTime],
    ['vllm:request_decode_time_seconds', spent('DECODE'), m.decodeTime],
    ['vllm:request_num_preemptions', 'Histogram of the number of times a request was preempted.', m.requestPreemptions],
    [
      'vllm:request_prefill_kv_computed_tokens',
      'Histogram of new KV tokens computed during prefill (excluding cached tokens).',
      m.prefillKvComputed,
    ],
  ]
}

/** One number, or one per value of a label. */
type Values = number | Readonly<Record<string, Readonly<Record<string, number>>>>
type Labels = readonly (readonly [string, string])[]

class Builder {
  readonly families: MetricFamily[] = []
  private readonly model: readonly [string, string]
  private readonly engine: readonly [string, string]
  private readonly created: number
  private readonly wanted: ReadonlySet<string> | undefined
  private readonly cache: LabelCache

  constructor(options: FamilyOptions) {
    this.wanted = options.wanted
    this.cache = options.labelCache ?? new Map()
    this.model = ['model_name', options.modelName]
    this.engine = ['engine', String(options.engine ?? 0)]
    this.created = EPOCH_MS / 1e3 + options.createdAt / 1e6
  }

  private wants(...names: readonly string[]): boolean {
    return this.wanted === undefined || names.some((name) => this.wanted!.has(name))
  }

  gauge(name: string, help: string, values: Values): void {
    if (!this.wants(name)) return
    this.families.push({ name, help, type: 'gauge', samples: this.samples(name, values, true) })
  }

  counter(name: string, help: string, values: Values, perEngine = true): void {
    const total = `${name}_total`
    if (!this.wants(total, `${name}_created`)) return
    this.families.push({ name: total, help, type: 'counter', samples: this.samples(total, values, perEngine) })
    const samples = this.samples(`${name}_created`, values, perEngine).map((s) => ({ ...s, value: this.created }))
    this.families.push({ name: `${name}_created`, help, type: 'gauge', samples })
  }

  histogram(name: string, help: string, histogram: Histogram): void {
    if (!this.wants(`${name}_bucket`, `${name}_count`, `${name}_sum`, `${name}_created`)) return
    const labels = this.labels(true)
    const samples: Sample[] = []
    let cumulative = 0
    const bounds = boundTexts(histogram)
    histogram.counts.forEach((count, i) => {
      cumulative += count
      const le = bounds[i]!
      samples.push({ name: `${name}_bucket`, labels: this.labels(true, ['le', le]), value: cumulative })
    })
    samples.push({ name: `${name}_count`, labels, value: cumulative })
    samples.push({ name: `${name}_sum`, labels, value: histogram.sum })
    this.families.push({ name, help, type: 'histogram', samples })
    const created = { name: `${name}_created`, labels, value: this.created }
    this.families.push({ name: created.name, help, type: 'gauge', samples: [created] })
  }

  info(name: string, help: string, values: Readonly<Record<string, string>>): void {
    if (!this.wants(name)) return
    const labels = sorted([...Object.entries(values), this.engine])
    this.families.push({ name, help, type: 'gauge', samples: [{ name, labels, value: 1 }] })
  }

  private samples(name: string, values: Values, perEngine: boolean): Sample[] {
    if (typeof values === 'number') return [{ name, labels: this.labels(perEngine), value: values }]
    return Object.entries(values).flatMap(([label, byValue]) =>
      Object.entries(byValue).map(([v, value]) => ({ name, labels: this.labels(perEngine, [label, v]), value })),
    )
  }

  private labels(perEngine: boolean, extra?: readonly [string, string]): Labels {
    const key = `${perEngine}${extra?.[0] ?? ''}`
    let known = this.cache.get(key)
    if (!known) {
      known = new Map()
      this.cache.set(key, known)
    }
    let labels = known.get(extra?.[1] ?? '')
    if (!labels) {
      labels = sorted([...(perEngine ? [this.engine] : []), this.model, ...(extra ? [extra] : [])])
      known.set(extra?.[1] ?? '', labels)
    }
    return labels
  }
}

const knownTexts = new WeakMap<Histogram, readonly string[]>()

/** The values of `le`, worked out once. */
function boundTexts(histogram: Histogram): readonly string[] {
  let texts = knownTexts.get(histogram)
  if (!texts) {
    texts = [...[...histogram.bounds].map(formatFloat), '+Inf']
    knownTexts.set(histogram, texts)
  }
  return texts
}

const sorted = (labels: Labels): Labels => [...labels].sort(([a], [b]) => (a < b ? -1 : 1))

/** The Prometheus text exposition of `families`, byte for byte as vLLM's client library writes it. */
export function renderFamilies(families: readonly MetricFamily[]): string {
  const lines: string[] = []
  for (const { name, help, type, samples } of families) {
    lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`)
    for (const sample of samples) {
      const labels = sample.labels.map(([key, value]) => `${key}="${escapeLabel(value)}"`).join(',')
      lines.push(`${sample.name}{${labels}} ${formatFloat(sample.value)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

const escapeLabel = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

/** A float as Python's prometheus_client prints it: `1.0`, `0.025`, `1.79e+09`, `+Inf`. */
export function formatFloat(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  if (Number.isNaN(value)) return 'NaN'
  const text = pythonRepr(value)
  const dot = text.indexOf('.')
  if (!(value > 0) || dot <= 6) return text
  const mantissa = `${text[0]}.${text.slice(1, dot)}${text.slice(dot + 1)}`.replace(/[0.]+$/, '')
  return `${mantissa}e+0${dot - 1}`
}

function pythonRepr(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [mantissa, exponent] = value.toExponential().split('e')
    const digits = exponent!.slice(1).padStart(2, '0')
    return `${mantissa}e${exponent![0]}${digits}`
  }
  const text = String(value)
  return text.includes('.') ? text : `${text}.0`
}
