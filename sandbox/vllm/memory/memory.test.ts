import { expect, test } from 'vitest'
import { gpuById } from '../../../fixtures/gpus/lookup.ts'
import { modelById } from '../../../fixtures/models/lookup.ts'
import { vllmImage } from '../flags/image.ts'
import { parseCommandLine } from '../flags/parse.ts'
import { settingsOf } from '../flags/settings.ts'
import { versionOf } from '../flags/version.ts'
import { longestThatFits, planKvCache } from './kv-cache-plan.ts'
import { cudagraphSizes, limitsOf } from './limits.ts'
import { planMemory } from './memory.ts'
import { formatGib } from './refusal.ts'
import { pipelineLayers, weightsBytesPerGpu } from './weights.ts'

function deployment(line: string, gpuId = 'h100-sxm', gpuCount = 1, tag = 'v0.32.0', environment = {}) {
  const version = versionOf(vllmImage(`vllm/vllm-openai:${tag}`))
  const parsed = parseCommandLine(line.split(' '), 'serve', version)
  if (!parsed.ok) throw new Error(parsed.message)
  const settings = settingsOf(parsed, version, environment)
  return { settings, model: modelById(parsed.model)!, gpu: gpuById(gpuId)!, gpuCount, version: version.version }
}

const plan = (...args: Parameters<typeof deployment>) => planMemory(deployment(...args))

const L8 = 'meta-llama/Llama-3.1-8B-Instruct'
const L70 = 'meta-llama/Llama-3.1-70B-Instruct'

// messages: vllm 0.32.0 config/model.py, config/parallel.py, config/scheduler.py, v1/worker/*.py, v1/core/kv_cache_utils.py
test.each<[string, string, number, string, string]>([
  [
    `${L70} -tp 3`,
    'h100-sxm',
    4,
    'attention-heads',
    'Total number of attention heads (64) must be divisible by tensor parallel size (3).',
  ],
  [
    `${L70} -tp 8`,
    'h100-sxm',
    4,
    'world-size',
    "World size (8) is larger than the number of available GPUs (4) in this node. If this is intentional and you are using:\n- ray, set '--distributed-executor-backend ray'.\n- multiprocessing, set '--nnodes' appropriately.",
  ],
  [`${L70} -tp 2 -pp 4`, 'h100-sxm', 4, 'world-size', 'World size (8) is larger than the number of available GPUs (4)'],
  [`${L8} -dp 2`, 'h100-sxm', 1, 'local-rank', 'DP adjusted local rank 1 is out of bounds for 1 devices.'],
  [`${L8}`, 'h100-sxm', 0, 'no-gpu', 'Failed to infer device type'],
  [
    `${L8} --max-model-len 200000`,
    'h100-sxm',
    1,
    'max-model-len',
    "User-specified max_model_len (200000) is greater than the derived max_model_len (max_position_embeddings=131072 or model_max_length=None in model's config.json). To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1.",
  ],
  [
    `${L8} --no-enable-chunked-prefill --max-num-batched-tokens 4096`,
    'h100-sxm',
    1,
    'batched-tokens',
    'max_num_batched_tokens (4096) is smaller than max_model_len (131072).',
  ],
  [
    `${L8} --max-num-batched-tokens 128 --max-num-seqs 256`,
    'h100-sxm',
    1,
    'batched-tokens',
    'max_num_batched_tokens (128) must be greater than or equal to max_num_seqs (256).',
  ],
  [
    `${L8} --gpu-memory-utilization 0.999`,
    'h100-sxm',
    1,
    'free-memory',
    'is less than desired GPU memory utilization (0.999, 79.07 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.',
  ],
  [
    `${L8} --gpu-memory-utilization 1.5`,
    'h100-sxm',
    1,
    'value-out-of-range',
    'Input should be less than or equal to 1',
  ],
  [
    `${L8} --gpu-memory-utilization 0.2`,
    'h100-sxm',
    1,
    'no-kv-memory',
    'No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine',
  ],
  [
    L8,
    'l4',
    1,
    'kv-too-small',
    "To serve at least one request with the model's max seq len (131072), (16.0 GiB KV cache is needed",
  ],
  [L70, 'h100-sxm', 1, 'weights-out-of-memory', 'CUDA out of memory. Tried to allocate'],
  ['Qwen/Qwen2.5-7B-Instruct -tp 7', 'h100-sxm', 8, 'kv-heads', ''],
  [
    'Qwen/Qwen2.5-32B-Instruct-AWQ -tp 8 --quantization fp8',
    'h100-sxm',
    8,
    'quantization-mismatch',
    'Quantization method specified in the model config (awq) does not match the quantization method specified in the `quantization` argument (fp8).',
  ],
  ['Qwen/Qwen2.5-32B-Instruct-AWQ -tp 8', 'h100-sxm', 8, 'not-divisible-or-groups', ''],
  [
    `${L8} --enable-expert-parallel`,
    'h100-sxm',
    1,
    'expert-parallel',
    'Number of experts in the model must be greater than 0',
  ],
  [
    'openai/gpt-oss-20b',
    't4',
    1,
    'quantization-capability',
    'The quantization method mxfp4 is not supported for the current GPU. Minimum capability: 80. Current capability: 75.',
  ],
  [
    'Qwen/Qwen3-0.6B --dtype bfloat16',
    't4',
    1,
    'dtype-capability',
    'Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your',
  ],
])('%s on %i × %s: %s', (line, gpu, count, code, message) => {
  const outcome = plan(line, gpu, count)
  if (code === 'not-divisible-or-groups') {
    // 27648 / 8 = 3456 = 27 × 128: whole groups, it starts
    expect(outcome.ok).toBe(true)
    return
  }
  expect(outcome).toMatchObject({ ok: false, code })
  if (!outcome.ok) expect(outcome.message).toContain(message)
})

test('awq as it was named before 0.24 computes in half precision alone', () => {
  const awq = (flags: string, tag: string) => plan(`Qwen/Qwen2.5-32B-Instruct-AWQ -tp 8 ${flags}`, 'h100-sxm', 8, tag)
  expect(awq('--quantization awq --dtype bfloat16', 'v0.11.2')).toMatchObject({
    ok: false,
    code: 'quantization-dtype',
    message: expect.stringContaining('torch.bfloat16 is not supported for quantization method awq.'),
  })
  expect(awq('--quantization awq --dtype half', 'v0.11.2').ok).toBe(true)
  expect(awq('--quantization awq_marlin --dtype bfloat16', 'v0.11.2').ok).toBe(true)
  expect(awq('--quantization awq --dtype bfloat16', 'v0.32.0').ok).toBe(true)
})

test('72B in int4 on 8 GPUs: padded checkpoints have whole groups', () => {
  // 29696 / 8 = 3712 = 29 × 128
  expect(plan('Qwen/Qwen2.5-72B-Instruct-AWQ -tp 8', 'l40s', 8).ok).toBe(true)
})

test('VLLM_ALLOW_LONG_MAX_MODEL_LEN lifts the limit of the context', () => {
  expect(
    plan(`${L8} --max-model-len 200000`, 'h100-sxm', 1, 'v0.32.0', { VLLM_ALLOW_LONG_MAX_MODEL_LEN: '1' }).ok,
  ).toBe(true)
})

test('weights per GPU: by hand for Llama 3.1', () => {
  // 8B on one GPU: the whole checkpoint, 14.96 GiB, as vLLM reports («Model loading took 14.96 GiB»)
  expect(formatGib(weightsBytesPerGpu(modelById(L8)!, deployment(L8).settings))).toBe('14.96')
  // 70B over 4: a quarter, but for the norms; vLLM reports 32.89 GiB
  const quarter = weightsBytesPerGpu(modelById(L70)!, deployment(`${L70} -tp 4`).settings)
  expect(quarter / 2 ** 30).toBeCloseTo(32.87, 1)
  // 16 ranks on 8 KV heads: keys and values are kept twice
  const sixteen = weightsBytesPerGpu(modelById(L70)!, deployment(`${L70} -tp 16`).settings)
  const copies = (80 * 2 * 8192 * 1024 * 2) / 16
  expect(sixteen).toBeGreaterThan(141107412992 / 16 + copies * 0.99)
  // online fp8 halves the matrices, not the embeddings
  const fp8 = weightsBytesPerGpu(modelById(L8)!, deployment(`${L8} --quantization fp8`).settings)
  expect(fp8 / 2 ** 30).toBeCloseTo((14.96 + 1.957) / 2, 1)
})

test('KV blocks: 16 tokens × 8 heads × 128 × 2 × 2 bytes × 32 layers are 2 MiB', () => {
  const { model, settings, gpu } = deployment(L8)
  const cache = planKvCache(model, settings, limitsOf(model, gpu, settings))
  expect(cache.bytesPerBlock).toBe(2 * 2 ** 20)
  expect(cache.blocksFor(131072)).toBe(8192)
  // 16 GiB for the full context, and 3 GiB hold 24576 tokens
  expect(longestThatFits(cache, 3 * 2 ** 30, 131072)).toBe(24576)
})

test('KV blocks of windows, latent vectors, fp8 and several GPUs', () => {
  const bytes = (line: string, count = 8) => {
    const { model, settings, gpu } = deployment(line, 'h100-sxm', count)
    return planKvCache(model, settings, limitsOf(model, gpu, settings))
  }
  expect(bytes(`${L8} --kv-cache-dtype fp8`).bytesPerBlock).toBe(2 ** 20)
  expect(bytes(`${L8} -tp 4`).bytesPerBlock).toBe(2 ** 19)
  // more ranks than KV heads: one head each
  expect(bytes(`${L70} -tp 16`).bytesPerBlock).toBe(16 * 1 * 128 * 2 * 2 * 80)
  // DeepSeek: 64 tokens × 576 × 2 bytes × 61 layers, whatever the ranks
  expect(bytes('deepseek-ai/DeepSeek-R1 -tp 8').bytesPerBlock).toBe(64 * 576 * 2 * 61)
  // Gemma 3 27B: 10 full layers and 52 windowed in groups of 10: 1 + 6 block tables of 10 layers
  const gemma = bytes('google/gemma-3-27b-it')
  expect(gemma.bytesPerBlock).toBe(10 * 16 * 16 * 128 * 2 * 2)
  // window 1024 − 1 + two batches of 8192 in flight: 1088 blocks and one for the edge
  expect(gemma.blocksFor(131072)).toBe(8192 + 6 * (Math.ceil((1023 + 2 * 8192) / 16) + 1))
})

test('blocks, tokens and concurrency agree, and the range holds the likely value', () => {
  const outcome = plan(L8)
  if (!outcome.ok) throw new Error(outcome.message)
  expect(outcome.numGpuBlocks).toBe(Math.floor(outcome.kvCacheBytesPerGpu / (2 * 2 ** 20)))
  expect(outcome.kvCacheTokens).toBe(outcome.numGpuBlocks * 16)
  expect(outcome.maxConcurrency).toBeCloseTo(outcome.kvCacheTokens / 131072, 2)
  expect(outcome.numGpuBlocksRange[0]).toBeLessThan(outcome.numGpuBlocks)
  expect(outcome.numGpuBlocksRange[1]).toBeGreaterThan(outcome.numGpuBlocks)
})

test('an outcome inside the estimates’ range says so; a plain one does not', () => {
  expect(plan(L8)).toMatchObject({ ok: true, uncertain: false })
  expect(plan(`${L70} -tp 3`, 'h100-sxm', 4)).toMatchObject({ ok: false, uncertain: false })
  expect(plan('openai/gpt-oss-120b')).toMatchObject({ uncertain: true })
})

test('--max-model-len auto takes what fits, fixed sizes take what they say', () => {
  const auto = plan(`${L8} --max-model-len auto`, 'l4')
  if (!auto.ok) throw new Error(auto.message)
  expect(auto.limits.maxModelLen).toBeLessThan(131072)
  expect(auto.maxConcurrency).toBeGreaterThanOrEqual(1)
  expect(plan(`${L8} --kv-cache-memory-bytes 20g`)).toMatchObject({ numGpuBlocks: Math.floor(20e9 / 2 ** 21) })
  expect(plan(`${L8} --num-gpu-blocks-override 9000`)).toMatchObject({ numGpuBlocks: 9000 })
})

test('defaults by GPU, as arg_utils.py sets them', () => {
  const limits = (line: string, gpu: string) => {
    const d = deployment(line, gpu)
    return limitsOf(d.model, d.gpu, d.settings)
  }
  expect(limits(L8, 'h100-sxm')).toEqual({ maxModelLen: 131072, maxNumBatchedTokens: 8192, maxNumSeqs: 1024 })
  expect(limits(L8, 'a100-sxm-80gb')).toMatchObject({ maxNumBatchedTokens: 2048, maxNumSeqs: 256 })
  expect(limits(L8, 'l4')).toMatchObject({ maxNumBatchedTokens: 2048, maxNumSeqs: 256 })
  expect(limits(L8, 'b200')).toMatchObject({ maxNumBatchedTokens: 16384, maxNumSeqs: 1024 })
  expect(limits(`${L8} --max-num-batched-tokens 128`, 'l4')).toMatchObject({ maxNumSeqs: 128 })
  expect(limits('microsoft/Phi-3-mini-128k-instruct', 'l4').maxModelLen).toBe(4096)
})

test('CUDA graphs are captured for 51 sizes up to 512 by default, none when eager', () => {
  const { settings, gpu, model } = deployment(L8)
  const sizes = cudagraphSizes(limitsOf(model, gpu, settings), settings, gpu)
  expect(sizes.slice(0, 5)).toEqual([1, 2, 4, 8, 16])
  expect(sizes).toHaveLength(51)
  expect(sizes.at(-1)).toBe(512)
  expect(cudagraphSizes(limitsOf(model, gpu, settings), deployment(`${L8} --enforce-eager`).settings, gpu)).toEqual([])
})

test('pipeline stages: the remainder goes before the last', () => {
  expect(pipelineLayers(80, 4)).toEqual([20, 20, 20, 20])
  expect(pipelineLayers(61, 4)).toEqual([15, 15, 16, 15])
  expect(pipelineLayers(62, 4)).toEqual([15, 16, 16, 15])
})

test('GiB are written as Python writes them', () => {
  expect(formatGib(16 * 2 ** 30)).toBe('16.0')
  expect(formatGib(1.005 * 2 ** 30)).toMatch(/^1\.(0|01)$/)
  expect(formatGib(14.957 * 2 ** 30)).toBe('14.96')
})
