import type { VllmMetricFamily } from '../../../fixtures/vllm/metrics.ts'
import type { EngineMetrics, HistogramBuckets, HistogramName } from './metrics.ts'

/** The level of its sleep: 0 keeps the weights, 1 has offloaded and 2 discarded them. */
export type SleepState = 'awake' | 0 | 1 | 2

/** What a value depends on beside the engine's counts. */
export interface QuantityContext {
  readonly sleepState: SleepState
  /** Tokens per KV block. */
  readonly blockSize: number
}

type Series = Readonly<Record<string, string>>
type Quantity = (metrics: EngineMetrics, series: Series, context: QuantityContext) => number

/** Families of a server without the option they are about: registered, and 0. */
const zero: Quantity = () => 0

/** Values by family name. Names of several versions stand for one quantity. */
const QUANTITIES: Readonly<Record<string, Quantity>> = {
  'vllm:estimated_flops_per_gpu': zero,
  'vllm:estimated_read_bytes_per_gpu': zero,
  'vllm:estimated_write_bytes_per_gpu': zero,
  'vllm:num_requests_running': (m) => m.running,
  'vllm:num_requests_waiting': (m) => m.waiting,
  'vllm:num_requests_waiting_by_reason': (m, { reason }) =>
    reason === 'deferred' ? m.waitingDeferred : m.waiting - m.waitingDeferred,
  // preempted requests are recomputed, not swapped
  'vllm:num_requests_swapped': zero,
  'vllm:engine_sleep_state': (_m, { sleep_state }, { sleepState }) =>
    sleep_state === (sleepState === 'awake' ? sleepState : SLEEP_STATES[sleepState]) ? 1 : 0,
  'vllm:kv_cache_usage_perc': (m) => m.kvCacheUsage,
  'vllm:gpu_cache_usage_perc': (m) => m.kvCacheUsage,
  'vllm:cpu_cache_usage_perc': zero,
  'vllm:prefix_cache_queries': (m) => m.prefixCacheQueries,
  'vllm:prefix_cache_hits': (m) => m.prefixCacheHits,
  'vllm:gpu_prefix_cache_queries': (m) => m.prefixCacheQueries,
  'vllm:gpu_prefix_cache_hits': (m) => m.prefixCacheHits,
  'vllm:external_prefix_cache_queries': zero,
  'vllm:external_prefix_cache_hits': zero,
  'vllm:mm_cache_queries': zero,
  'vllm:mm_cache_hits': zero,
  'vllm:num_preemptions': (m) => m.preemptions,
  'vllm:prompt_tokens': (m) => m.promptTokens,
  'vllm:prompt_tokens_by_source': (m, { source }) =>
    source === 'local_compute' ? m.promptTokensComputed : source === 'local_cache_hit' ? m.promptTokensCached : 0,
  'vllm:prompt_tokens_cached': (m) => m.promptTokensCached,
  'vllm:prompt_tokens_cached_by_source': (m, { source }) => (source === 'device' ? m.prefixCacheHits : 0),
  'vllm:generation_tokens': (m) => m.generationTokens,
  'vllm:request_success': (m, { finished_reason }) => m.success[finished_reason as keyof typeof m.success],
  'vllm:admission_rejections': zero,
}

const SLEEP_STATES = [undefined, 'weights_offloaded', 'discard_all'] as const

const HISTOGRAMS: Readonly<Record<string, HistogramName>> = {
  'vllm:request_prompt_tokens': 'requestPromptTokens',
  'vllm:request_generation_tokens': 'requestGenerationTokens',
  'vllm:iteration_tokens_total': 'iterationTokens',
  'vllm:request_max_num_generation_tokens': 'requestMaxGenerationTokens',
  'vllm:request_params_n': 'paramsN',
  'vllm:request_params_max_tokens': 'requestMaxTokens',
  'vllm:time_to_first_token_seconds': 'timeToFirstToken',
  'vllm:inter_token_latency_seconds': 'interTokenLatency',
  'vllm:time_per_output_token_seconds': 'interTokenLatency',
  'vllm:request_time_per_output_token_seconds': 'timePerOutputToken',
  'vllm:e2e_request_latency_seconds': 'e2e',
  'vllm:request_queue_time_seconds': 'queueTime',
  'vllm:time_in_queue_requests': 'queueTime',
  'vllm:request_inference_time_seconds': 'inferenceTime',
  'vllm:request_prefill_time_seconds': 'prefillTime',
  'vllm:request_decode_time_seconds': 'decodeTime',
  'vllm:request_num_preemptions': 'requestPreemptions',
  'vllm:request_prefill_kv_computed_tokens': 'prefillKvComputed',
}

export const CACHE_CONFIG_INFO = 'vllm:cache_config_info'

/** Whether the engine counts what a family tells. */
export const isSimulated = ({ name }: Pick<VllmMetricFamily, 'name'>): boolean =>
  name in QUANTITIES || name in HISTOGRAMS || name === CACHE_CONFIG_INFO

/** The histogram behind a family; undefined for one that is not simulated. */
export const histogramOf = ({ name }: VllmMetricFamily): HistogramName | undefined => HISTOGRAMS[name]

/** The value of one series of a gauge or counter; undefined for a family that is not simulated. */
export function quantityOf(
  family: VllmMetricFamily,
  metrics: EngineMetrics,
  series: Series,
  context: QuantityContext,
): number | undefined {
  const value = QUANTITIES[family.name]?.(metrics, series, context)
  // until 0.9 the prefix cache was counted in blocks
  return value !== undefined && family.help.endsWith(' blocks.') ? Math.floor(value / context.blockSize) : value
}

/** The buckets of a version, by histogram. `tokens` stays to the engine, which knows the longest context. */
export function bucketsOf(families: readonly VllmMetricFamily[]): HistogramBuckets {
  return Object.fromEntries(
    families.flatMap((family) => {
      const name = HISTOGRAMS[family.name]
      return name && Array.isArray(family.buckets) ? [[name, family.buckets as readonly number[]]] : []
    }),
  )
}
