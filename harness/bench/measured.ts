import { existsSync, readFileSync } from 'node:fs'
import type { GpuSpec } from '../../fixtures/gpus/gpu.ts'
import type { ModelSpec } from '../../fixtures/models/model.ts'
import { Engine } from '../../sandbox/vllm/engine/engine.ts'
import { kvBytesPerToken, rooflineStepModel } from '../../sandbox/vllm/engine/step-time.ts'
import type { EngineConfig } from '../../sandbox/vllm/engine/types.ts'

/** Measurements of real vLLM servers stand outside the repository; without them fits and comparisons are not possible. */
export const MEASURED = new URL('../../../shared/data/measured/', import.meta.url)

export const measuredIsThere = (): boolean => existsSync(new URL('vllm-h100-sample.csv', MEASURED))

const LLAMA = { architecture: 'LlamaForCausalLM', dtype: 'bfloat16' as const, headDim: 128, kvHeads: 8 }

export const LLAMA_8B: ModelSpec = {
  ...{ ...LLAMA, id: 'meta-llama/Llama-3.1-8B', layers: 32, hiddenSize: 4096, intermediateSize: 14336 },
  ...{ attentionHeads: 32, vocabSize: 128256, maxPositionEmbeddings: 131072 },
  ...{ parameters: 8_030_261_248, weightsBytes: 16_060_556_376, source: 'config.json' },
}

const LLAMA_70B: ModelSpec = {
  ...{ ...LLAMA, id: 'meta-llama/Llama-3.1-70B', layers: 80, hiddenSize: 8192, intermediateSize: 28672 },
  ...{ attentionHeads: 64, vocabSize: 128256, maxPositionEmbeddings: 131072 },
  ...{ parameters: 70_553_706_496, weightsBytes: 141_107_497_872, source: 'config.json' },
}

const QWEN3_32B: ModelSpec = {
  ...{ ...LLAMA, id: 'Qwen/Qwen3-32B', architecture: 'Qwen3ForCausalLM', layers: 64, hiddenSize: 5120 },
  ...{ intermediateSize: 25600, attentionHeads: 64, vocabSize: 151936, maxPositionEmbeddings: 40960 },
  ...{ parameters: 32_762_123_264, weightsBytes: 65_524_246_528, source: 'config.json' },
}

/** One measured (or simulated) request: seconds. */
export interface Timing {
  readonly arrival: number
  readonly promptTokens: number
  readonly outputTokens: number
  readonly ttft: number
  readonly e2e: number
}

export const tpotOf = (t: Timing): number => (t.outputTokens > 1 ? (t.e2e - t.ttft) / (t.outputTokens - 1) : 0)

/** The 300 ShareGPT requests on one RTX PRO 6000, timed from the moment the engine had them queued. */
export function rtxRequests(): Timing[] {
  const lines = readFileSync(new URL('rtxpro6000-llama-3.1-8b/requests.jsonl', MEASURED), 'utf8').trim().split('\n')
  const rows = lines.map((line) => JSON.parse(line) as Record<string, number>)
  const start = Math.min(...rows.map((row) => row['queued_ts']!))
  return rows
    .map((row) => ({
      arrival: row['queued_ts']! - start,
      promptTokens: row['input_toks']!,
      outputTokens: row['output_toks']!,
      ttft: row['first_token_ts']! - row['queued_ts']!,
      e2e: row['last_token_ts']! - row['queued_ts']!,
    }))
    .sort((a, b) => a.arrival - b.arrival)
}

/** Running and waiting once a second during that run. */
export function rtxSeries(): { t: number; running: number; waiting: number }[] {
  const lines = readFileSync(new URL('rtxpro6000-llama-3.1-8b/timeseries.csv', MEASURED), 'utf8').trim().split('\n')
  return lines.slice(1).map((line) => {
    const [t, , , running, waiting] = line.split(',').map(Number)
    return { t: t!, running: running!, waiting: waiting! }
  })
}

/** The same requests on the simulated engine, and its gauges at whole seconds. */
export function simulateRtx(gpu: GpuSpec, requests: readonly Timing[]) {
  const config = { maxModelLen: 131072, maxNumSeqs: 128, maxNumBatchedTokens: 2048 }
  const engine = engineFor(gpu, LLAMA_8B, 1, config)
  const timings: Timing[] = []
  const gauges: { running: number; waiting: number }[] = []
  const sample = (until: number) => {
    for (let second = gauges.length + 1; second * 1e6 <= until; second++) {
      engine.advanceTo(second * 1e6)
      gauges.push({ running: engine.metrics.running, waiting: engine.metrics.waiting })
    }
  }
  requests.forEach((request, i) => {
    const at = Math.round(request.arrival * 1e6)
    sample(at)
    let first = 0
    const { promptTokens, outputTokens, arrival } = request
    const length = { promptTokens, outputTokens, maxTokens: outputTokens }
    engine.submit({ id: `r${i}`, ...length }, at, {
      firstToken: (when) => {
        first = when
      },
      finished: ({ at: end }) => {
        timings[i] = { arrival, promptTokens, outputTokens, ttft: (first - at) / 1e6, e2e: (end - at) / 1e6 }
      },
    })
  })
  while (engine.unfinished > 0) sample((gauges.length + 1) * 1e6)
  return { timings, gauges }
}

/** One row of the H100 sample. Milliseconds. */
export interface H100Row {
  readonly model: ModelSpec
  readonly fp8: boolean
  readonly inputTokens: number
  readonly outputTokens: number
  readonly batch: number
  readonly tensorParallel: number
  readonly ttftMs: number
  readonly tpotMs: number
}

export function h100Rows(): H100Row[] {
  const lines = readFileSync(new URL('vllm-h100-sample.csv', MEASURED), 'utf8').trim().split('\n')
  return lines.slice(1).map((line) => {
    const [path, , precision, isl, osl, batch, tp, ttft, tpot] = line.split(',')
    return {
      model: path!.startsWith('Qwen') ? QWEN3_32B : LLAMA_70B,
      fp8: precision === 'fp8',
      ...{ inputTokens: Number(isl), outputTokens: Number(osl), batch: Number(batch), tensorParallel: Number(tp) },
      ...{ ttftMs: Number(ttft), tpotMs: Number(tpot) },
    }
  })
}

/**
 * A closed loop of `batch` clients that all start at once and send five requests each on average, answers within 20 % of
 * the length given. How the sample was taken is not on record; under this reading its TTFT grows with the batch about as
 * it should (a fifth of the first round's queue). vLLM 0.12 did not yet schedule asynchronously by default.
 */
export function simulateH100(
  gpu: GpuSpec,
  row: H100Row,
  budget = 8192,
  jitter = 0.2,
): { ttftMs: number; tpotMs: number } {
  const config = {
    maxModelLen: row.inputTokens + row.outputTokens + 512,
    maxNumSeqs: 1024,
    maxNumBatchedTokens: budget,
    asyncScheduling: false,
  }
  const engine = engineFor(gpu, row.model, row.tensorParallel, config, row.fp8)
  const total = row.batch * 5
  let [submitted, ttft, tpot] = [0, 0, 0]
  const submit = (at: number): void => {
    if (submitted === total) return
    const id = submitted++
    const spread = 1 + jitter * ((((id * 7919) % 101) - 50) / 50)
    const outputTokens = Math.max(2, Math.round(row.outputTokens * spread))
    let first = 0
    const request = { id: `r${id}`, promptTokens: row.inputTokens, outputTokens, maxTokens: outputTokens }
    engine.submit(request, at, {
      firstToken: (when) => {
        first = when
        ttft += when - at
      },
      finished: ({ at: end }) => {
        tpot += (end - first) / (outputTokens - 1)
        submit(end)
      },
    })
  }
  for (let i = 0; i < row.batch; i++) submit(0)
  for (let now = 1e6; engine.unfinished > 0; now += 1e6) engine.advanceTo(now)
  return { ttftMs: ttft / total / 1e3, tpotMs: tpot / total / 1e3 }
}

/** An engine with the KV blocks vLLM would find: 90 % of the memory less weights and 3 GiB for activations. */
function engineFor(
  gpu: GpuSpec,
  model: ModelSpec,
  ranks: number,
  config: Omit<EngineConfig, 'numGpuBlocks'>,
  fp8 = false,
) {
  const weightsBytes = fp8 ? model.parameters + 2 * model.vocabSize * model.hiddenSize : model.weightsBytes
  const free = gpu.memoryBytes * 0.9 * ranks - weightsBytes - 3 * 2 ** 30 * ranks
  const numGpuBlocks = Math.floor(free / kvBytesPerToken(model, 2) / 16)
  const linearDtype = fp8 ? 'fp8' : 'bf16'
  const steps = rooflineStepModel({ gpu, model, tensorParallel: ranks, weightsBytes, linearDtype })
  return new Engine({ numGpuBlocks, ...config }, steps)
}

/** Median and 90th percentile of |simulated / measured − 1|. */
export function errorOf(pairs: readonly (readonly [simulated: number, measured: number])[]): {
  median: number
  p90: number
} {
  const errors = pairs.map(([simulated, measured]) => Math.abs(simulated / measured - 1)).sort((a, b) => a - b)
  const at = (q: number) => errors[Math.min(errors.length - 1, Math.floor(q * errors.length))]!
  return { median: at(0.5), p90: at(0.9) }
}
