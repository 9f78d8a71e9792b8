import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import type { ServerSettings, Setting } from '../flags/settings.ts'
import { derivedMaxModelLen, type Limits } from './limits.ts'
import { checkQuantization, checkQuantizationConfig, checkQuantizationDtype } from './quantization-checks.ts'
import { type Refusal, refuse } from './refusal.ts'

export interface Deployment {
  readonly model: ModelSpec
  readonly gpu: GpuSpec
  /** GPUs the container sees. */
  readonly gpuCount: number
  readonly settings: ServerSettings
  /** Of vLLM. */
  readonly version: string
}

/** The first configuration error vLLM raises before it touches a GPU's memory, in its order. */
export function checkConfig(deployment: Deployment, limits: Limits): Refusal | undefined {
  return (
    checkRanges(deployment.settings) ??
    checkMaxModelLen(deployment, limits) ??
    checkQuantization(deployment) ??
    checkWorldSize(deployment) ??
    checkBatch(deployment.settings, limits) ??
    checkHeads(deployment) ??
    checkQuantizationConfig(deployment) ??
    checkCapability(deployment) ??
    checkQuantizationDtype(deployment) ??
    checkShards(deployment)
  )
}

function checkRanges(settings: ServerSettings): Refusal | undefined {
  const utilisation = settings.gpuMemoryUtilization.value
  const bad = (setting: Setting<unknown>, field: string, config: string, what: string, type: string) =>
    refuse(
      'value-out-of-range',
      setting.by,
      `${field}\n  Input should be ${what} [type=${type}, input_value=${setting.value}, input_type=${Number.isInteger(setting.value) ? 'int' : 'float'}]`,
      {
        exception: 'pydantic_core._pydantic_core.ValidationError',
        config,
      },
    )
  if (utilisation > 1)
    return bad(
      settings.gpuMemoryUtilization,
      'gpu_memory_utilization',
      'CacheConfig',
      'less than or equal to 1',
      'less_than_equal',
    )
  if (utilisation <= 0)
    return bad(settings.gpuMemoryUtilization, 'gpu_memory_utilization', 'CacheConfig', 'greater than 0', 'greater_than')
  const counts = [
    [settings.tensorParallelSize, 'tensor_parallel_size', 'ParallelConfig'],
    [settings.pipelineParallelSize, 'pipeline_parallel_size', 'ParallelConfig'],
    [settings.dataParallelSize, 'data_parallel_size', 'ParallelConfig'],
    [settings.maxNumSeqs, 'max_num_seqs', 'SchedulerConfig'],
    [settings.maxNumBatchedTokens, 'max_num_batched_tokens', 'SchedulerConfig'],
  ] as const
  const small = counts.find(([setting]) => setting.value !== undefined && setting.value < 1)
  return small && bad(small[0], small[1], small[2], 'greater than or equal to 1', 'greater_than_equal')
}

function checkMaxModelLen({ model, settings }: Deployment, limits: Limits): Refusal | undefined {
  const wanted = settings.maxModelLen.value
  const { length, key } = derivedMaxModelLen(model, settings)
  if (wanted === undefined || wanted === -1 || settings.allowLongMaxModelLen.value || limits.maxModelLen <= length)
    return
  const message =
    `User-specified max_model_len (${wanted}) is greater than the derived max_model_len (${key}=${length} or model_max_length=None in model's config.json). ` +
    'To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1. VLLM_ALLOW_LONG_MAX_MODEL_LEN must be used with extreme caution. ' +
    'If the model uses relative position encoding (RoPE), positions exceeding derived_max_model_len lead to nan. ' +
    'If the model uses absolute position encoding, positions exceeding derived_max_model_len will cause a CUDA array out-of-bounds error.'
  return refuse('max-model-len', settings.maxModelLen.by, message, { config: 'ModelConfig' })
}

// follows vllm/config/parallel.py ParallelConfig.__post_init__
function checkWorldSize({ settings, gpuCount }: Deployment): Refusal | undefined {
  if (gpuCount < 1)
    return refuse(
      'no-gpu',
      'resources.limits["nvidia.com/gpu"]',
      'Failed to infer device type, please set the environment variable `VLLM_LOGGING_LEVEL=DEBUG` to turn on verbose logging to help debug the issue.',
      { exception: 'RuntimeError' },
    )
  const worldSize = settings.tensorParallelSize.value * settings.pipelineParallelSize.value
  const replicas = settings.dataParallelSizeLocal.value ?? settings.dataParallelSize.value
  const by = settings.tensorParallelSize.value > 1 ? settings.tensorParallelSize.by : settings.pipelineParallelSize.by
  if (worldSize > gpuCount && settings.distributedExecutorBackend.value === undefined) {
    const message =
      `World size (${worldSize}) is larger than the number of available GPUs (${gpuCount}) in this node. If this is intentional and you are using:\n` +
      "- ray, set '--distributed-executor-backend ray'.\n- multiprocessing, set '--nnodes' appropriately."
    return refuse('world-size', by, message, { config: 'ParallelConfig' })
  }
  if (worldSize * replicas <= gpuCount) return
  const message = `DP adjusted local rank ${gpuCount} is out of bounds for ${gpuCount} devices.`
  return refuse('local-rank', replicas > 1 ? settings.dataParallelSize.by : by, message, {
    exception: 'AssertionError',
    stage: 'device',
  })
}

// follows vllm/config/scheduler.py verify_max_model_len
function checkBatch(settings: ServerSettings, limits: Limits): Refusal | undefined {
  const { maxModelLen, maxNumSeqs, maxNumBatchedTokens } = limits
  if (maxNumBatchedTokens < maxModelLen && !settings.enableChunkedPrefill.value)
    return refuse(
      'batched-tokens',
      settings.maxNumBatchedTokens.by,
      `max_num_batched_tokens (${maxNumBatchedTokens}) is smaller than max_model_len (${maxModelLen}). This effectively limits the maximum sequence length to max_num_batched_tokens and makes vLLM reject longer sequences. Please increase max_num_batched_tokens or decrease max_model_len.`,
      { config: 'SchedulerConfig' },
    )
  if (maxNumBatchedTokens < maxNumSeqs)
    return refuse(
      'batched-tokens',
      settings.maxNumBatchedTokens.by,
      `max_num_batched_tokens (${maxNumBatchedTokens}) must be greater than or equal to max_num_seqs (${maxNumSeqs}).`,
      { config: 'SchedulerConfig' },
    )
  const threshold = settings.longPrefillTokenThreshold
  if (threshold.value > maxModelLen)
    return refuse(
      'batched-tokens',
      threshold.by,
      `long_prefill_token_threshold (${threshold.value}) cannot be greater than the max_model_len (${maxModelLen}).`,
      { config: 'SchedulerConfig' },
    )
  return
}

// follows vllm/config/model.py verify_with_parallel_config
function checkHeads({ model, settings }: Deployment): Refusal | undefined {
  const ranks = settings.tensorParallelSize.value
  const { by } = settings.tensorParallelSize
  if (model.attentionHeads % ranks !== 0)
    return refuse(
      'attention-heads',
      by,
      `Total number of attention heads (${model.attentionHeads}) must be divisible by tensor parallel size (${ranks}).`,
      { config: 'VllmConfig' },
    )
  if (settings.enableExpertParallel.value && !model.experts)
    return refuse(
      'expert-parallel',
      settings.enableExpertParallel.by,
      'Number of experts in the model must be greater than 0 when expert parallelism is enabled.',
      { config: 'VllmConfig' },
    )
  return
}

/** The least compute capability of each method, × 10. */
// follows get_min_capability in vllm/model_executor/layers/quantization/*.py
const MIN_CAPABILITY: Record<string, number> = {
  awq: 75,
  auto_awq: 75,
  awq_marlin: 75,
  gptq: 60,
  auto_gptq: 60,
  gptq_marlin: 60,
  fp8: 75,
  fbgemm_fp8: 80,
  modelopt: 80,
  modelopt_fp4: 75,
  mxfp4: 80,
  gpt_oss_mxfp4: 80,
  nvfp4: 75,
  experts_int8: 80,
  torchao: 75,
  moe_wna16: 70,
  humming: 75,
  'compressed-tensors': 70,
  bitsandbytes: 70,
}

function checkCapability({ model, gpu, settings }: Deployment): Refusal | undefined {
  const capability = Math.round(Number(gpu.computeCapability) * 10)
  const method = settings.quantization.value ?? model.quantization
  const needed = method === undefined ? 0 : (MIN_CAPABILITY[method] ?? 0)
  if (capability < needed)
    return refuse(
      'quantization-capability',
      settings.quantization.by,
      `The quantization method ${method} is not supported for the current GPU. Minimum capability: ${needed}. Current capability: ${capability}.`,
      { config: 'VllmConfig' },
    )
  if (settings.dtype.value !== 'bfloat16' || capability >= 80) return
  return refuse(
    'dtype-capability',
    settings.dtype.by,
    `Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your ${gpu.product.replace('NVIDIA-', 'NVIDIA ').replaceAll('-', ' ')} GPU has compute capability ${gpu.computeCapability}. You can use float16 instead by explicitly setting the \`dtype\` flag in CLI, for example: --dtype=half.`,
    { stage: 'device' },
  )
}

/** Assertions of the layers when the model is built on each rank. */
function checkShards({ model, settings }: Deployment): Refusal | undefined {
  const ranks = settings.tensorParallelSize.value
  const { by } = settings.tensorParallelSize
  const assertion = { exception: 'AssertionError', stage: 'weights' } as const
  const { kvHeads } = model
  // follows vllm/model_executor/models/llama.py LlamaAttention.__init__: KV heads are split, or copied evenly
  if (!model.mla && (kvHeads >= ranks ? kvHeads % ranks !== 0 : ranks % kvHeads !== 0))
    return refuse('kv-heads', by, '', assertion)
  const intermediate = model.experts?.intermediateSize ?? model.intermediateSize
  const splitExperts = !(model.experts && settings.enableExpertParallel.value)
  if (splitExperts && intermediate % ranks !== 0)
    return refuse('not-divisible', by, `${intermediate} is not divisible by ${ranks}`, assertion)
  const vocabulary = Math.ceil(model.vocabSize / 64) * 64
  if (vocabulary % ranks !== 0)
    return refuse('not-divisible', by, `${vocabulary} is not divisible by ${ranks}`, assertion)
  const part = intermediate / ranks
  if ((model.quantization === 'awq' || model.quantization === 'gptq') && splitExperts && part % 128 !== 0)
    return refuse(
      'quantization-groups',
      by,
      `Weight input_size_per_partition=${part} is not divisible by group_size=128. This happens when tensor_parallel_size splits the layer input into shards that are not a whole number of quant groups. Consider reducing tensor_parallel_size.`,
      { stage: 'weights' },
    )
  return
}
