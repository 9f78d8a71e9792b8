import { checkConfig, type Deployment } from './config-checks.ts'
import { type Estimate, estimateOverheads, type Overheads } from './estimate.ts'
import { type KvCachePlan, longestThatFits, planKvCache } from './kv-cache-plan.ts'
import { type Limits, limitsOf } from './limits.ts'
import { formatGib, type Refusal, refuse } from './refusal.ts'
import { weightsBytesPerGpu } from './weights.ts'

export type { Deployment } from './config-checks.ts'

/** What vLLM would print and use after profiling. Bytes are per GPU. */
export interface MemoryPlan {
  readonly ok: true
  readonly numGpuBlocks: number
  readonly blockSize: number
  /** Tokens of KV cache, counted at full context as vLLM does. */
  readonly kvCacheTokens: number
  /** Requests of full context that fit at once. */
  readonly maxConcurrency: number
  readonly kvCacheBytesPerGpu: number
  readonly weightsBytesPerGpu: number
  /** Memory torch sees on the GPU, and what of it is free when the worker starts. */
  readonly totalBytes: number
  readonly freeBytes: number
  readonly limits: Limits
  readonly overheads: Overheads
  /** Blocks at either end of the estimates' range. */
  readonly numGpuBlocksRange: readonly [number, number]
  /** True when it would not start at the bad end of the range. */
  readonly uncertain: boolean
}

type End = 'low' | 'likely' | 'high'

/**
 * Whether a server starts, and with how much KV cache: the checks vLLM makes, in its order, with its words. Figures that
 * vLLM measures are estimated (`estimate.ts`); `uncertain` says when the answer differs within their range.
 */
export function planMemory(deployment: Deployment): MemoryPlan | Refusal {
  const limits = limitsOf(deployment.model, deployment.gpu, deployment.settings)
  const refused = checkConfig(deployment, limits)
  if (refused) return refused
  const overheads = estimateOverheads(deployment.model, deployment.gpu, deployment.settings, limits)
  const outcome = (end: End) => plan(deployment, limits, overheads, end)
  const [best, likely, worst] = [outcome('low'), outcome('likely'), outcome('high')]
  if (!likely.ok) return { ...likely, uncertain: best.ok }
  const low = worst.ok ? worst.numGpuBlocks : 0
  const high = best.ok ? best.numGpuBlocks : likely.numGpuBlocks
  return { ...likely, numGpuBlocksRange: [low, high], uncertain: !worst.ok }
}

function plan(deployment: Deployment, limits: Limits, overheads: Overheads, end: End): MemoryPlan | Refusal {
  const { model, gpu, settings } = deployment
  const of = (estimate: Estimate) => estimate[end]
  const totalBytes = gpu.memoryBytes - of(overheads.driver)
  const freeBytes = totalBytes - of(overheads.context)
  const utilisation = settings.gpuMemoryUtilization.value
  const requestedBytes = Math.ceil(totalBytes * utilisation)
  if (freeBytes < requestedBytes) return notFree(deployment, totalBytes, freeBytes, requestedBytes)
  const weights = weightsBytesPerGpu(model, settings)
  const runtime = of(overheads.runtime)
  const loadable = freeBytes - runtime
  if (weights > loadable) return outOfMemory(deployment, totalBytes, freeBytes, weights)
  const graphs = settings.cudagraphMemoryCounted.value ? of(overheads.cudagraphs) : 0
  const cache = planKvCache(model, settings, limits)
  const given = settings.kvCacheMemoryBytes.value
  const left = given ?? Math.floor(requestedBytes - weights - runtime - of(overheads.activations) - graphs)
  const override = settings.numGpuBlocksOverride.value
  const available = override === undefined ? left : override * cache.bytesPerBlock
  const fitted = fitContext(deployment, limits, cache, available)
  if ('ok' in fitted) return fitted
  const numGpuBlocks = Math.floor(available / cache.bytesPerBlock)
  const maxConcurrency = numGpuBlocks / cache.blocksFor(fitted.maxModelLen)
  return {
    ok: true,
    numGpuBlocks,
    blockSize: cache.blockSize,
    kvCacheTokens: Math.floor(maxConcurrency * fitted.maxModelLen),
    maxConcurrency,
    kvCacheBytesPerGpu: available,
    weightsBytesPerGpu: weights,
    totalBytes,
    freeBytes,
    limits: fitted,
    overheads,
    numGpuBlocksRange: [numGpuBlocks, numGpuBlocks],
    uncertain: false,
  }
}

const SEE = 'See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details.'

/** Holds one request of full context against the cache; with `--max-model-len -1` shortens the context instead. */
// follows vllm/v1/core/kv_cache_utils.py _check_enough_kv_cache_memory and _auto_fit_max_model_len
function fitContext(deployment: Deployment, limits: Limits, cache: KvCachePlan, available: number): Limits | Refusal {
  const { settings } = deployment
  const flag = settings.gpuMemoryUtilization.by
  const usable = available - cache.bytesPerBlock
  const stage = { stage: 'kv-cache' } as const
  const longest = longestThatFits(cache, usable, limits.maxModelLen)
  if (settings.maxModelLen.value === -1) {
    if (longest > 0) return { ...limits, maxModelLen: longest }
    const message =
      'Cannot auto-fit max_model_len: not enough GPU memory available to serve even a single token. Try increasing `gpu_memory_utilization`.'
    return refuse('no-kv-memory', flag, message, stage)
  }
  if (usable <= 0) {
    const message = `No available memory for the cache blocks. Try increasing \`gpu_memory_utilization\` when initializing the engine (this flag also controls CPU memory reservation on the CPU backend, despite its name). ${SEE}`
    return refuse('no-kv-memory', flag, message, stage)
  }
  const needed = cache.blocksFor(limits.maxModelLen) * cache.bytesPerBlock
  if (needed <= usable) return limits
  const estimate =
    longest > 0 ? `Based on the available memory, the estimated maximum model length is ${longest}. ` : ''
  const message = `To serve at least one request with the model's max seq len (${limits.maxModelLen}), (${formatGib(needed)} GiB KV cache is needed, which is larger than the available KV cache memory (${formatGib(usable)} GiB). ${estimate}Try increasing \`gpu_memory_utilization\` (which also controls CPU memory on the CPU backend) or decreasing \`max_model_len\` when initializing the engine. ${SEE}`
  return refuse('kv-too-small', settings.maxModelLen.by, message, stage)
}

// follows vllm/v1/worker/utils.py request_memory
function notFree(deployment: Deployment, total: number, free: number, requested: number): Refusal {
  const { by, value } = deployment.settings.gpuMemoryUtilization
  const message = `Free memory on device cuda:0 (${formatGib(free)}/${formatGib(total)} GiB) on startup is less than desired GPU memory utilization (${value}, ${formatGib(requested)} GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.`
  return refuse('free-memory', by, message, { stage: 'device' })
}

/** torch's own words, when a weight no longer fits: one MLP matrix is asked for. Memory in bytes of one GPU. */
export function outOfMemory(deployment: Deployment, total: number, free: number, weights: number): Refusal {
  const { model, settings } = deployment
  const ranks = settings.tensorParallelSize.value
  const width = model.experts ? model.experts.intermediateSize * model.experts.total : model.intermediateSize
  const asked = Math.ceil((2 * 2 * model.hiddenSize * (width / ranks)) / 2 ** 21) * 2 ** 21
  const allocated = Math.min(weights, Math.floor(free / asked) * asked)
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MiB`
  const amount = (bytes: number) => (bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : mib(bytes))
  const left = Math.max(0, free - allocated)
  const message =
    `CUDA out of memory. Tried to allocate ${amount(asked)}. GPU 0 has a total capacity of ${amount(total)} of which ${amount(left)} is free. ` +
    `Including non-PyTorch memory, this process has ${amount(total - left)} memory in use. Of the allocated memory ${amount(allocated)} is allocated by PyTorch, and ${mib(0)} is reserved by PyTorch but unallocated. ` +
    'If reserved but unallocated memory is large try setting PYTORCH_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See documentation for Memory Management  (https://pytorch.org/docs/stable/notes/cuda.html#environment-variables)'
  return refuse('weights-out-of-memory', settings.tensorParallelSize.by, message, {
    exception: 'torch.OutOfMemoryError',
    stage: 'weights',
  })
}
