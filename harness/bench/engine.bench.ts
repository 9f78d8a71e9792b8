import { rtxPro6000 } from '../../fixtures/gpus/rtx-pro-6000.ts'
import { Engine } from '../../sandbox/vllm/engine/engine.ts'
import { rooflineStepModel } from '../../sandbox/vllm/engine/step-time.ts'

/**
 * Simulated tokens per wall second of the exact engine on one core, all histograms on: `node harness/bench/engine.bench.ts`.
 * A closed loop of `batch` clients, prompts of 512 and answers of 256 tokens.
 */
const LLAMA_8B = {
  id: 'meta-llama/Llama-3.1-8B-Instruct',
  architecture: 'LlamaForCausalLM',
  ...{ layers: 32, hiddenSize: 4096, intermediateSize: 14336, attentionHeads: 32, kvHeads: 8, headDim: 128 },
  ...{ vocabSize: 128256, maxPositionEmbeddings: 131072, dtype: 'bfloat16' as const },
  ...{ parameters: 8_030_261_248, weightsBytes: 16_060_556_376, source: 'config.json' },
}

function measure(batch: number, tokensWanted: number): void {
  const model = rooflineStepModel({ gpu: rtxPro6000, model: LLAMA_8B })
  const engine = new Engine({ numGpuBlocks: 20_000, maxModelLen: 8192, maxNumSeqs: batch }, model)
  let submitted = 0
  const submit = (at: number): void => {
    const id = submitted++
    const spread = (id * 37) % 64
    engine.submit({ id: `r${id}`, promptTokens: 480 + spread, outputTokens: 224 + spread }, at, {
      finished: ({ at }) => submit(at),
    })
  }
  for (let i = 0; i < batch; i++) submit(0)
  const started = process.hrtime.bigint()
  let now = 0
  while (engine.stats().generatedTokens < tokensWanted) {
    now += 1_000_000
    engine.advanceTo(now)
  }
  const wall = Number(process.hrtime.bigint() - started) / 1e9
  const { generatedTokens, steps } = engine.stats()
  const rate = generatedTokens / wall / 1e6
  console.log(
    `batch ${batch}: ${rate.toFixed(1)} M tokens/s, ${(steps / wall / 1e6).toFixed(2)} M steps/s, ` +
      `${(now / 1e6 / wall).toFixed(0)} simulated s/s`,
  )
}

measure(32, 2e6)
for (const batch of [1, 8, 32, 128, 256]) measure(batch, batch === 1 ? 2e6 : 20e6)
