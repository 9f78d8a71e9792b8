import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import type { ServerSettings } from '../flags/settings.ts'

/** Settings that vLLM derives from GPU and model when the user names none. */
export interface Limits {
  readonly maxModelLen: number
  readonly maxNumSeqs: number
  readonly maxNumBatchedTokens: number
}

const GIB = 2 ** 30

/** The context length a model itself allows. A disabled sliding window cuts it to the window. */
// follows vllm/config/model.py _get_and_verify_max_len
export function derivedMaxModelLen(model: ModelSpec, settings: ServerSettings): { length: number; key: string } {
  const window = model.slidingWindow?.kind === 'sliding' ? model.slidingWindow.windowTokens : undefined
  if (settings.disableSlidingWindow.value && window !== undefined && window < model.maxPositionEmbeddings)
    return { length: window, key: 'sliding_window' }
  return { length: model.maxPositionEmbeddings, key: 'max_position_embeddings' }
}

/** Defaults of an OpenAI server by GPU memory: batched tokens and sequences. */
// follows vllm/engine/arg_utils.py get_batch_defaults
function batchDefaults(gpu: GpuSpec): { maxNumBatchedTokens: number; maxNumSeqs: number } {
  const memoryBytes = gpu.memoryBytes
  if (memoryBytes >= 160 * GIB) return { maxNumBatchedTokens: 16384, maxNumSeqs: 1024 }
  if (memoryBytes >= 70 * GIB && !/a100/i.test(gpu.product)) return { maxNumBatchedTokens: 8192, maxNumSeqs: 1024 }
  return { maxNumBatchedTokens: 2048, maxNumSeqs: 256 }
}

/** Fills in what the user left open. */
// follows vllm/engine/arg_utils.py _set_default_max_num_seqs_and_batched_tokens_args
export function limitsOf(model: ModelSpec, gpu: GpuSpec, settings: ServerSettings): Limits {
  const wanted = settings.maxModelLen.value
  const longest = model.originalMaxPositionEmbeddings ?? derivedMaxModelLen(model, settings).length
  const maxModelLen = wanted === undefined || wanted === -1 ? longest : wanted
  const defaults = batchDefaults(gpu)
  const double = settings.performanceMode.value === 'throughput' ? 2 : 1
  const maxNumSeqs = settings.maxNumSeqs.value ?? defaults.maxNumSeqs * double
  const chunked = settings.enableChunkedPrefill.value
  const tokens = defaults.maxNumBatchedTokens * double
  const open = Math.min(chunked ? tokens : Math.max(maxModelLen, tokens), maxNumSeqs * maxModelLen)
  const maxNumBatchedTokens = settings.maxNumBatchedTokens.value ?? open
  return {
    maxModelLen,
    maxNumBatchedTokens,
    maxNumSeqs: settings.maxNumSeqs.value === undefined ? Math.min(maxNumSeqs, maxNumBatchedTokens) : maxNumSeqs,
  }
}

/** Batch sizes CUDA graphs are captured for. */
// follows vllm/config/vllm.py _set_cudagraph_sizes
export function cudagraphSizes(limits: Limits, settings: ServerSettings, gpu: GpuSpec): number[] {
  if (settings.enforceEager.value) return []
  const ceiling = gpu.computeCapability.startsWith('10.') ? 1024 : 512
  const wanted = settings.maxCudagraphCaptureSize.value ?? Math.min(limits.maxNumSeqs * 2, ceiling)
  const largest = Math.min(wanted, limits.maxNumBatchedTokens)
  const sizes = new Set([1, 2, 4].filter((size) => size <= largest))
  for (let size = 8; size <= Math.min(largest, 255); size += 8) sizes.add(size)
  for (let size = 256; size <= largest; size += 16) sizes.add(size)
  if (limits.maxNumBatchedTokens <= largest) sizes.add(limits.maxNumBatchedTokens)
  if (limits.maxNumSeqs <= largest) sizes.add(limits.maxNumSeqs)
  return [...sizes].sort((a, b) => a - b)
}
