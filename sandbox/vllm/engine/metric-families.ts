import { type EngineGeneration, type VllmMetricFamily, vllmMetrics } from '../../../fixtures/vllm/metrics.ts'
import type { MetricFamily, Sample } from '../../metrics/sample.ts'
import { EPOCH_MS, type Us } from '../../world/time.ts'
import type { LoraActivity } from './metric-lora.ts'
import {
  CACHE_CONFIG_INFO,
  histogramOf,
  type QuantityContext,
  quantityOf,
  type SleepState,
} from './metric-quantities.ts'
import { formatFloat } from './metric-text.ts'
import type { EngineMetrics, Histogram } from './metrics.ts'

export interface FamilyOptions {
  readonly modelName: string
  /** Rank of the engine among data-parallel ones. Default 0. */
  readonly engine?: number
  /** When the metrics were registered, in trial time: the `_created` samples. */
  readonly createdAt: Us
  /** Labels of vllm:cache_config_info beside `engine`; without them the family is left out. */
  readonly cacheConfig?: Readonly<Record<string, string>>
  /** Default awake. */
  readonly sleepState?: SleepState
  /** What the server's version exposes. Default: all of vLLM 0.32. */
  readonly exposes?: ExposedFamilies
  /** `--max-loras`; left out: a server without LoRA. */
  readonly maxLoras?: number | undefined
  /** Tokens per KV block. Default 16. */
  readonly blockSize?: number
  /** Leaves out families of which no sample has one of these names. */
  readonly wanted?: ReadonlySet<string> | undefined
  /** Keeps label lists between calls: scrapes of one engine then share them. */
  readonly labelCache?: LabelCache
}

/** The families of one version, hidden ones already left out or in. */
export interface ExposedFamilies {
  readonly engine: EngineGeneration
  readonly families: readonly VllmMetricFamily[]
}

/** Label lists by their extra label. One for each engine: of one model name and rank. */
export type LabelCache = Map<string, Map<string, readonly (readonly [string, string])[]>>

/**
 * The `vllm:` families of a server without connectors or speculative decoding, in the order its version exposes them. Those
 * without a simulated quantity are left out.
 */
// follows PrometheusStatLogger of vllm/v1/metrics/loggers.py and of vllm/engine/metrics.py; names and texts are its own
export function metricFamilies(metrics: EngineMetrics, options: FamilyOptions): MetricFamily[] {
  const exposes = options.exposes ?? usual()
  const build = new Builder(options, exposes.engine)
  const context: QuantityContext = { sleepState: options.sleepState ?? 'awake', blockSize: options.blockSize ?? 16 }
  for (const family of exposes.families) {
    const histogram = histogramOf(family)
    if (histogram) build.histogram(family, metrics[histogram])
    else if (family.name === CACHE_CONFIG_INFO) {
      if (options.maxLoras !== undefined && metrics.lora) build.loras(metrics.lora, options.maxLoras)
      if (options.cacheConfig) build.info(family, options.cacheConfig)
    } else build.values(family, metrics, context)
  }
  return build.families
}

let usualFamilies: ExposedFamilies | undefined

function usual(): ExposedFamilies {
  usualFamilies ??= { engine: 'v1', families: vllmMetrics('0.32.0').families.v1!.filter(({ hidden }) => !hidden) }
  return usualFamilies
}

type Labels = readonly (readonly [string, string])[]

class Builder {
  readonly families: MetricFamily[] = []
  private readonly model: readonly [string, string]
  private readonly engine: readonly [string, string]
  private readonly created: number
  private readonly wanted: ReadonlySet<string> | undefined
  private readonly cache: LabelCache
  /** V0 has no `_created` samples, and series of requests only once there were some. */
  private readonly isV0: boolean

  constructor(options: FamilyOptions, engine: EngineGeneration) {
    this.wanted = options.wanted
    this.cache = options.labelCache ?? new Map()
    this.model = ['model_name', options.modelName]
    this.engine = ['engine', String(options.engine ?? 0)]
    this.created = EPOCH_MS / 1e3 + options.createdAt / 1e6
    this.isV0 = engine === 'v0'
  }

  private wants(...names: readonly string[]): boolean {
    return this.wanted === undefined || names.some((name) => this.wanted!.has(name))
  }

  /** A gauge or a counter. */
  values(family: VllmMetricFamily, metrics: EngineMetrics, context: QuantityContext): void {
    const { type, help } = family
    const name = type === 'counter' ? `${family.name}_total` : family.name
    if (!this.wants(name, ...(type === 'counter' ? [`${family.name}_created`] : []))) return
    const samples: Sample[] = []
    for (const series of this.seriesOf(family, metrics)) {
      const value = quantityOf(family, metrics, series, context)
      if (value === undefined) return
      const [extra] = Object.entries(series)
      samples.push({ name, labels: this.labels(family, extra), value })
    }
    this.families.push({ name, help, type, samples })
    if (type === 'counter') this.createdOf(family, samples)
  }

  private seriesOf(
    { labels, series }: VllmMetricFamily,
    metrics: EngineMetrics,
  ): readonly Readonly<Record<string, string>>[] {
    if (series.length > 0) return series
    if (!labels.includes('finished_reason')) return ONE_SERIES
    return Object.entries(metrics.success).flatMap(([finished_reason, count]) =>
      count > 0 ? [{ finished_reason }] : [],
    )
  }

  histogram(family: VllmMetricFamily, histogram: Histogram): void {
    const { name, help } = family
    if (!this.wants(`${name}_bucket`, `${name}_count`, `${name}_sum`, `${name}_created`)) return
    const labels = this.labels(family)
    const samples: Sample[] = []
    let cumulative = 0
    const bounds = boundTexts(histogram)
    const bucket = `${name}_bucket`
    for (let i = 0; i < bounds.length; i++) {
      cumulative += histogram.counts[i]!
      samples.push({ name: bucket, labels: this.labels(family, ['le', bounds[i]!]), value: cumulative })
    }
    samples.push({ name: `${name}_count`, labels, value: cumulative })
    samples.push({ name: `${name}_sum`, labels, value: histogram.sum })
    this.families.push({ name, help, type: 'histogram', samples: this.isV0 && cumulative === 0 ? [] : samples })
    this.createdOf(family, [samples.at(-1)!])
  }

  info(family: VllmMetricFamily, values: Readonly<Record<string, string>>): void {
    const { name, help } = family
    if (!this.wants(name)) return
    const labels = sorted([...Object.entries(values), ...(family.labels.includes('engine') ? [this.engine] : [])])
    this.families.push({ name, help, type: 'gauge', samples: [{ name, labels, value: 1 }] })
  }

  /** All sets of adapters that ever were in use, the time at which they last were as the value. */
  loras({ seen }: LoraActivity, maxLoras: number): void {
    const name = 'vllm:lora_requests_info'
    if (!this.wants(name)) return
    const samples = [...seen].map(([names, at]): Sample => {
      const labels = { max_lora: String(maxLoras), running_lora_adapters: names, waiting_lora_adapters: names }
      return { name, labels: Object.entries(labels), value: EPOCH_MS / 1e3 + at / 1e6 }
    })
    this.families.push({ name, help: 'Running stats on lora requests.', type: 'gauge', samples })
  }

  private createdOf({ name, help }: VllmMetricFamily, of: readonly Sample[]): void {
    if (this.isV0) return
    const samples = of.map(({ labels }) => ({ name: `${name}_created`, labels, value: this.created }))
    this.families.push({ name: `${name}_created`, help, type: 'gauge', samples })
  }

  private labels({ labels: names }: VllmMetricFamily, extra?: readonly [string, string]): Labels {
    const perEngine = names.includes('engine')
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

const ONE_SERIES: readonly Readonly<Record<string, string>>[] = [{}]

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
