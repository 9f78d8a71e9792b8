import { rtxPro6000 } from '../../fixtures/gpus/rtx-pro-6000.ts'
import { Engine } from '../../sandbox/vllm/engine/engine.ts'
import { rooflineStepModel } from '../../sandbox/vllm/engine/step-time.ts'
import type { EngineDriver } from '../../sandbox/vllm/engine/types.ts'
import { meter } from './meter.ts'

/**
 * Simulated tokens per second of CPU, all histograms on: `node harness/bench/engine.bench.ts [BATCH [exact|leap]]`.
 * A closed loop of `batch` clients, prompts of 512 and answers of 256 tokens. With a batch: one run of it, as JSON.
 */
const LLAMA_8B = {
  id: 'meta-llama/Llama-3.1-8B-Instruct',
  architecture: 'LlamaForCausalLM',
  ...{ layers: 32, hiddenSize: 4096, intermediateSize: 14336, attentionHeads: 32, kvHeads: 8, headDim: 128 },
  ...{ vocabSize: 128256, maxPositionEmbeddings: 131072, dtype: 'bfloat16' as const },
  ...{ parameters: 8_030_261_248, weightsBytes: 16_060_556_376, source: 'config.json' },
}

/** One run; CPU time of this process, so that neighbours on the machine count as little as possible. */
function measure(
  batch: number,
  tokensWanted: number,
  driver: EngineDriver,
): { tokens: number; steps: number; simulated: number } {
  const model = rooflineStepModel({ gpu: rtxPro6000, model: LLAMA_8B })
  const engine = new Engine({ numGpuBlocks: 20_000, maxModelLen: 8192, maxNumSeqs: batch }, model, driver)
  let submitted = 0
  const submit = (at: number): void => {
    const id = submitted++
    const spread = (id * 37) % 64
    engine.submit({ id: `r${id}`, promptTokens: 480 + spread, outputTokens: 224 + spread }, at, {
      finished: ({ at }) => submit(at),
    })
  }
  for (let i = 0; i < batch; i++) submit(0)
  const before = process.cpuUsage()
  let now = 0
  while (engine.stats().generatedTokens < tokensWanted) {
    now += 1_000_000
    engine.advanceTo(now)
  }
  const used = process.cpuUsage(before)
  const cpu = (used.user + used.system) / 1e6
  const { generatedTokens, steps } = engine.stats()
  return { tokens: generatedTokens / cpu / 1e6, steps: steps / cpu / 1e6, simulated: now / 1e6 / cpu }
}

function table(driver: EngineDriver): void {
  for (const batch of [1, 8, 32, 128, 256]) {
    const runs = [1, 2, 3]
      .map(() => measure(batch, batch === 1 ? 2e6 : 10e6, driver))
      .sort((a, b) => b.tokens - a.tokens)
    const [best, , worst] = runs
    console.log(
      `${driver}, batch ${batch}: ${best!.tokens.toFixed(1)} M tokens/s (worst of 3: ${worst!.tokens.toFixed(1)}), ` +
        `${best!.steps.toFixed(2)} M steps/s, ${best!.simulated.toFixed(0)} simulated s/s`,
    )
  }
}

/** As `bench.ts` reads it. */
function once(batch: number, driver: EngineDriver): void {
  const cost = meter()
  const { tokens } = measure(batch, 10e6, driver)
  console.log(JSON.stringify({ ...cost(), tokensPerCpuS: tokens * 1e6 }))
}

const [batch, only] = process.argv.slice(2)
const drivers: readonly EngineDriver[] = only === 'exact' || only === 'leap' ? [only] : ['exact', 'leap']
if (batch === undefined) for (const driver of drivers) table(driver)
else {
  measure(32, 2e6, drivers[0]!)
  once(Number(batch), drivers[0]!)
}
