import type { ModelSpec } from '../../../fixtures/models/model.ts'
import type { ServerSettings } from '../flags/settings.ts'
import type { Limits } from './limits.ts'
import { pipelineLayers } from './weights.ts'

/** How a request's KV cache is laid out in blocks. */
export interface KvCachePlan {
  readonly blockSize: number
  /** Bytes of one block over the layers of a GPU. */
  readonly bytesPerBlock: number
  /** Blocks one request of this many tokens may hold. */
  blocksFor(tokens: number): number
}

const ELEMENT_BYTES: readonly [RegExp, number][] = [
  [/^(fp8|int8|turboquant_k8)/, 1],
  [/^nvfp4/, 0.5625],
  [/^(int4|ultraquant|turboquant)/, 0.5],
  [/^float32$/, 4],
]

/** Bytes of one element of the KV cache. */
export function kvElementBytes(settings: ServerSettings): number {
  const kind = settings.kvCacheDtype.value
  const dtype = kind === 'auto' ? settings.dtype.value : kind
  return ELEMENT_BYTES.find(([pattern]) => pattern.test(dtype === 'float' ? 'float32' : dtype))?.[1] ?? 2
}

/** Bytes one layer keeps for a block of tokens on one GPU. */
// follows vllm/v1/kv_cache_interface.py AttentionSpec.page_size_bytes
function pageBytes(model: ModelSpec, settings: ServerSettings, blockSize: number): number {
  const element = kvElementBytes(settings)
  if (model.mla) return Math.ceil(blockSize * (model.mla.kvLoraRank + model.mla.qkRopeHeadDim) * element)
  const heads = Math.max(1, model.kvHeads / settings.tensorParallelSize.value)
  return Math.ceil(blockSize * heads * 2 * model.headDim * element)
}

/** Groups layers as vLLM does: one group when all are alike, else groups of equal size that share a pool of blocks. */
// follows vllm/v1/core/kv_cache_utils.py get_kv_cache_groups
export function planKvCache(model: ModelSpec, settings: ServerSettings, limits: Limits): KvCachePlan {
  const blockSize = settings.blockSize.value ?? (model.mla ? 64 : 16)
  const page = pageBytes(model, settings, blockSize)
  const stages = settings.pipelineParallelSize.value
  const { slidingWindow } = model
  const hybrid = !settings.disableHybridKvCacheManager.value && !settings.disableSlidingWindow.value
  const windowed = slidingWindow && hybrid ? slidingWindow.layers : 0
  const full = model.layers - windowed
  const size = groupSize(full, windowed)
  const layersOnStage = Math.max(...pipelineLayers(size, stages))
  const fullGroups = Math.ceil(full / size)
  const windowedGroups = Math.ceil(windowed / size)
  const windowBlocks = windowBlocksOf(slidingWindow, settings, limits, blockSize)
  return {
    blockSize,
    bytesPerBlock: page * layersOnStage,
    blocksFor: (tokens) => fullGroups * Math.ceil(tokens / blockSize) + windowedGroups * windowBlocks(tokens),
  }
}

/** Layers per group: the scarcer kind's number, or the larger one when they hardly differ. */
function groupSize(full: number, windowed: number): number {
  if (full === 0 || windowed === 0) return Math.max(full, windowed)
  const [least, most] = [Math.min(full, windowed), Math.max(full, windowed)]
  return most < least * 1.5 ? most : least
}

/** Blocks a windowed layer holds: the window, and every token scheduled but not yet settled. */
// follows SlidingWindowSpec and ChunkedLocalAttentionSpec.max_admission_blocks_per_request
function windowBlocksOf(
  window: ModelSpec['slidingWindow'],
  settings: ServerSettings,
  limits: Limits,
  blockSize: number,
) {
  const stages = settings.pipelineParallelSize.value
  const batches = settings.asyncScheduling.value ? stages + 1 : stages
  const inFlight = batches * limits.maxNumBatchedTokens
  return (tokens: number): number => {
    if (!window) return 0
    const sliding = window.kind === 'sliding'
    const held = Math.min((sliding ? window.windowTokens - 1 : window.windowTokens) + inFlight, tokens)
    return Math.ceil(held / blockSize) + (sliding ? 1 : 0)
  }
}

/** The longest request `bytes` of KV cache can hold, at most `limit`; 0 when not even one token fits. */
// follows vllm/v1/core/kv_cache_utils.py _estimate_max_model_len_from_groups
export function longestThatFits(plan: KvCachePlan, bytes: number, limit: number): number {
  const fits = (tokens: number) => plan.blocksFor(tokens) * plan.bytesPerBlock <= bytes
  if (!fits(1)) return 0
  let [left, right, longest] = [1, limit, 1]
  while (left <= right) {
    const middle = Math.floor((left + right) / 2)
    if (fits(middle)) {
      longest = middle
      left = middle + 1
    } else right = middle - 1
  }
  return longest
}
