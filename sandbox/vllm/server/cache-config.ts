import { compareVersions } from '../../../fixtures/vllm/index.ts'
import { formatFloat } from '../engine/metric-text.ts'
import { flagType, flagValue } from './flag-values.ts'
import type { RunnableServer } from './resolve.ts'

/** Fields of CacheConfig that are flags of their own name and stay as given. */
const AS_GIVEN = [
  ...['prefix_match_unit', 'num_gpu_blocks_override', 'prefix_caching_hash_algo', 'prefix_cache_retention_interval'],
  ...[
    'kv_cache_dtype_skip_layers',
    'mamba_block_size',
    'mamba_cache_dtype',
    'mamba_ssm_cache_dtype',
    'mamba_cache_mode',
  ],
  ...['enable_mamba_shared_prefix_checkpoint', 'replayssm_buffer_len', 'use_replayssm', 'kv_sharing_fast_prefill'],
  ...['swa_bounded_replay', 'kv_cache_memory_bytes', 'kv_offloading_size', 'kv_offloading_backend'],
]

/** Fields that nothing of a server with one kind of attention sets. */
const UNSET = {
  cache_hit_alignment_tokens: 'None',
  hash_block_size: 'None',
  is_attention_free: 'False',
  kv_cache_layout: 'None',
  mamba_page_size_padded: 'None',
  num_cpu_blocks: 'None',
  skip_page_size_padded: 'None',
  use_kda_recoverssm: 'False',
  _block_size_resolved: 'True',
}

type Server = Pick<RunnableServer, 'settings' | 'memory' | 'model' | 'version' | 'command'>

/** Labels of `vllm:cache_config_info` beside `engine`: CacheConfig once the engine has told how many blocks there are. */
// follows CacheConfig.metrics_info in vllm/config/cache.py of 0.32; of older versions the main fields
export function cacheConfigLabels(server: Server): Record<string, string> {
  const { settings, memory, model, version } = server
  const main = {
    block_size: String(memory.blockSize),
    cache_dtype: settings.kvCacheDtype.value,
    enable_prefix_caching: pythonText(settings.enablePrefixCaching.value),
    gpu_memory_utilization: pythonText(settings.gpuMemoryUtilization.value, 'float'),
    num_gpu_blocks: String(memory.numGpuBlocks),
  }
  if (compareVersions(version.version, '0.32.0') < 0) return main
  const asGiven = AS_GIVEN.map((name) => [name, pythonText(flagValue(server, name), flagType(server, name))])
  const { slidingWindow, layers } = model
  const everyLayer = slidingWindow?.kind === 'sliding' && slidingWindow.layers === layers
  const window = everyLayer && !settings.disableSlidingWindow.value ? slidingWindow.windowTokens : undefined
  return {
    ...UNSET,
    ...Object.fromEntries(asGiven),
    ...main,
    effective_attention_block_size: String(memory.blockSize),
    kv_cache_max_concurrency: pythonText(memory.maxConcurrency, 'float'),
    kv_cache_size_tokens: String(memory.kvCacheTokens),
    sliding_window: pythonText(window),
    user_specified_block_size: pythonText(settings.blockSize.origin === 'flag'),
  }
}

/** Python's `str()` of a value of a flag. */
function pythonText(value: unknown, type = ''): string {
  if (value === undefined || value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) return `[${value.map((item) => `'${item}'`).join(', ')}]`
  if (typeof value === 'number' && type.startsWith('float')) return pythonFloat(value)
  return String(value)
}

/** Only as large as these figures get. */
const pythonFloat = (value: number) =>
  value < 1e6 ? formatFloat(value) : `${value}${Number.isInteger(value) ? '.0' : ''}`
