import { compareVersions } from '../../../fixtures/vllm/index.ts'
import type { CommandLine } from './parse.ts'
import type { ShellEnvironment } from './shell-words.ts'
import type { VllmVersion } from './version.ts'

/** Where a value comes from. `derived`: worked out from the GPU, the model or other settings. */
export type SettingOrigin = 'flag' | 'environment' | 'default' | 'model' | 'derived'

/** A value with where it comes from, for people who ask why. */
export interface Setting<T> {
  readonly value: T
  readonly origin: SettingOrigin
  /** The flag or variable that sets it. */
  readonly by: string
}

/** What of a server's command line the sandbox acts on. Values that depend on GPU and model are still undefined. */
export interface ServerSettings {
  readonly model: Setting<string>
  readonly servedModelNames: Setting<readonly string[]>
  readonly host: Setting<string | undefined>
  readonly port: Setting<number>
  readonly tensorParallelSize: Setting<number>
  readonly pipelineParallelSize: Setting<number>
  readonly dataParallelSize: Setting<number>
  readonly dataParallelSizeLocal: Setting<number | undefined>
  readonly enableExpertParallel: Setting<boolean>
  readonly distributedExecutorBackend: Setting<string | undefined>
  readonly nnodes: Setting<number>
  readonly gpuMemoryUtilization: Setting<number>
  readonly kvCacheMemoryBytes: Setting<number | undefined>
  readonly numGpuBlocksOverride: Setting<number | undefined>
  readonly cpuOffloadGb: Setting<number>
  readonly blockSize: Setting<number | undefined>
  readonly kvCacheDtype: Setting<string>
  readonly enablePrefixCaching: Setting<boolean>
  readonly disableHybridKvCacheManager: Setting<boolean>
  readonly disableSlidingWindow: Setting<boolean>
  readonly dtype: Setting<string>
  readonly quantization: Setting<string | undefined>
  readonly allowDeprecatedQuantization: Setting<boolean>
  /** -1 asks for the longest that fits. */
  readonly maxModelLen: Setting<number | undefined>
  readonly allowLongMaxModelLen: Setting<boolean>
  readonly maxNumSeqs: Setting<number | undefined>
  readonly maxNumBatchedTokens: Setting<number | undefined>
  readonly enableChunkedPrefill: Setting<boolean>
  readonly longPrefillTokenThreshold: Setting<number>
  readonly schedulingPolicy: Setting<'fcfs' | 'priority'>
  readonly asyncScheduling: Setting<boolean>
  readonly performanceMode: Setting<string>
  readonly enforceEager: Setting<boolean>
  readonly maxCudagraphCaptureSize: Setting<number | undefined>
  /** CUDA-graph memory is taken off before KV blocks are counted; vLLM does so since 0.21. */
  readonly cudagraphMemoryCounted: Setting<boolean>
  readonly loadFormat: Setting<string>
  readonly shutdownTimeoutSeconds: Setting<number>
  /** A minor version whose hidden metrics are shown again. */
  readonly showHiddenMetricsForVersion: Setting<string | undefined>
  /** Path prefix of every route. */
  readonly rootPath: Setting<string>
  readonly apiKeySet: Setting<boolean>
  /** It serves HTTPS, and nothing in plain HTTP. */
  readonly tls: Setting<boolean>
  /** Flags given that change memory or scheduling in ways the sandbox leaves out. */
  readonly leftOut: readonly string[]
}

type Parsed = Extract<CommandLine, { ok: true }>

/** Given and accepted, but without effect in the sandbox. */
const LEFT_OUT = [
  'speculative_config',
  'enable_lora',
  'kv_transfer_config',
  'kv_offloading_size',
  'decode_context_parallel_size',
  'enable_eplb',
  'limit_mm_per_prompt',
]

/** Gathers the settings of a parsed command line, each with its origin. */
export function settingsOf(parsed: Parsed, version: VllmVersion, environment: ShellEnvironment): ServerSettings {
  const { given } = parsed
  const { table } = version
  const byDest = new Map(Object.entries(table.flags).map(([key, flag]) => [flag.dest, { key, flag }]))
  const setting = <T>(dest: string, fallback: T): Setting<T> => {
    const known = byDest.get(dest)
    const by = known?.key ?? `--${dest.replaceAll('_', '-')}`
    if (given.has(dest)) return { value: given.get(dest) as T, origin: 'flag', by }
    const value = known?.flag.default
    return { value: (value === undefined || value === null ? fallback : value) as T, origin: 'default', by }
  }
  const variable = (name: string, fallback: boolean): Setting<boolean> => {
    const text = environment[name]
    return text === undefined
      ? { value: fallback, origin: 'default', by: name }
      : { value: /^(1|true)$/i.test(text.trim()), origin: 'environment', by: name }
  }
  const model = modelSetting(parsed)
  const names = setting<readonly string[]>('served_model_name', [])
  const certificate = setting('ssl_certfile', '')
  const dataParallel = setting('data_parallel_size', 1)
  return {
    model,
    servedModelNames: names.value.length > 0 ? names : { ...model, value: [parsed.model] },
    host: setting<string | undefined>('host', undefined),
    port: setting('port', 8000),
    tensorParallelSize: setting('tensor_parallel_size', 1),
    pipelineParallelSize: setting('pipeline_parallel_size', 1),
    dataParallelSize: dataParallel,
    dataParallelSizeLocal: setting<number | undefined>('data_parallel_size_local', undefined),
    enableExpertParallel: setting('enable_expert_parallel', false),
    distributedExecutorBackend: setting<string | undefined>('distributed_executor_backend', undefined),
    nnodes: setting('nnodes', 1),
    gpuMemoryUtilization: setting('gpu_memory_utilization', 0.9),
    kvCacheMemoryBytes: setting<number | undefined>('kv_cache_memory_bytes', undefined),
    numGpuBlocksOverride: setting<number | undefined>('num_gpu_blocks_override', undefined),
    cpuOffloadGb: setting('cpu_offload_gb', 0),
    blockSize: setting<number | undefined>('block_size', undefined),
    kvCacheDtype: setting('kv_cache_dtype', 'auto'),
    enablePrefixCaching: setting('enable_prefix_caching', compareVersions(version.version, '0.8.0') >= 0),
    disableHybridKvCacheManager: setting(
      'disable_hybrid_kv_cache_manager',
      compareVersions(version.version, '0.9.0') < 0,
    ),
    disableSlidingWindow: setting('disable_sliding_window', false),
    dtype: setting('dtype', 'auto'),
    quantization: setting<string | undefined>('quantization', undefined),
    allowDeprecatedQuantization: setting('allow_deprecated_quantization', false),
    maxModelLen: setting<number | undefined>('max_model_len', undefined),
    allowLongMaxModelLen: variable('VLLM_ALLOW_LONG_MAX_MODEL_LEN', false),
    maxNumSeqs: setting<number | undefined>('max_num_seqs', undefined),
    maxNumBatchedTokens: setting<number | undefined>('max_num_batched_tokens', undefined),
    enableChunkedPrefill: setting('enable_chunked_prefill', true),
    longPrefillTokenThreshold: setting('long_prefill_token_threshold', 0),
    schedulingPolicy: setting('scheduling_policy', 'fcfs'),
    asyncScheduling: setting('async_scheduling', compareVersions(version.version, '0.14.0') >= 0),
    performanceMode: setting('performance_mode', 'balanced'),
    enforceEager: setting('enforce_eager', false),
    maxCudagraphCaptureSize: setting<number | undefined>('max_cudagraph_capture_size', undefined),
    cudagraphMemoryCounted: variable(
      'VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS',
      compareVersions(version.version, '0.21.0') >= 0,
    ),
    loadFormat: setting('load_format', 'auto'),
    shutdownTimeoutSeconds: setting('shutdown_timeout', 0),
    showHiddenMetricsForVersion: setting<string | undefined>('show_hidden_metrics_for_version', undefined),
    rootPath: setting('root_path', ''),
    apiKeySet: apiKey(given, environment),
    // uvicorn speaks TLS as soon as it is given a certificate, whose file may hold the key as well
    tls: { ...certificate, value: !!certificate.value },
    leftOut: LEFT_OUT.filter((dest) => given.has(dest)).map((dest) => byDest.get(dest)?.key ?? dest),
  }
}

const modelSetting = ({ model, modelOrigin, given }: Parsed): Setting<string> => ({
  value: model,
  origin: modelOrigin === 'flag' ? 'flag' : 'default',
  by: given.has('model') ? '--model' : 'the model argument',
})

function apiKey(given: ReadonlyMap<string, unknown>, environment: ShellEnvironment): Setting<boolean> {
  if (given.has('api_key')) return { value: true, origin: 'flag', by: '--api-key' }
  const inEnvironment = 'VLLM_API_KEY' in environment
  return { value: inEnvironment, origin: inEnvironment ? 'environment' : 'default', by: 'VLLM_API_KEY' }
}
