import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gpus } from '../../../fixtures/gpus/index.ts'
import { gpuById, gpuByProduct } from '../../../fixtures/gpus/lookup.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import { kvBytesPerToken, rooflineStepModel } from './step-time.ts'
import type { StepLoad } from './types.ts'

const DENSE: ModelSpec = {
  id: 'dense-8b',
  architecture: 'LlamaForCausalLM',
  ...{ layers: 32, hiddenSize: 4096, intermediateSize: 14336, attentionHeads: 32, kvHeads: 8, headDim: 128 },
  ...{ vocabSize: 128256, maxPositionEmbeddings: 131072, dtype: 'bfloat16' },
  ...{ parameters: 8_030_261_248, weightsBytes: 16_060_556_376, source: 'test' },
}
const MOE: ModelSpec = { ...DENSE, id: 'moe', experts: { total: 32, active: 2, intermediateSize: 512 } }

const load = (part: Partial<StepLoad>): StepLoad => ({
  ...{ tokens: 1, sequences: 1, sampled: 1, kvTokens: 1, prefillPairs: 0 },
  ...part,
})
const decode = (batch: number, context: number) =>
  load({ tokens: batch, sequences: batch, sampled: batch, kvTokens: batch * context })
const h100 = gpuById('h100-sxm')!
const stepMs = (options: Parameters<typeof rooflineStepModel>[0], part: StepLoad) =>
  rooflineStepModel(options).stepTimePs(part) / 1e9

describe('roofline step time', () => {
  it('is a positive whole number of picoseconds that grows with every part of the load', () => {
    const sizes = fc.integer({ min: 0, max: 100_000 })
    const loads = fc.record({ tokens: sizes, sequences: sizes, sampled: sizes, kvTokens: sizes, prefillPairs: sizes })
    fc.assert(
      fc.property(loads, fc.constantFrom(...gpus), fc.constantFrom(DENSE, MOE), (base, gpu, model) => {
        const steps = rooflineStepModel({ gpu, model })
        const time = steps.stepTimePs(base)
        expect(Number.isSafeInteger(time) && time > 0).toBe(true)
        for (const part of Object.keys(base) as (keyof StepLoad)[])
          expect(steps.stepTimePs({ ...base, [part]: base[part] + 1000 })).toBeGreaterThanOrEqual(time)
      }),
      { numRuns: 200 },
    )
  })

  it('is never faster than reading the weights, nor than the arithmetic of a prefill', () => {
    const weightsMs =
      ((DENSE.weightsBytes - 2 * DENSE.vocabSize * DENSE.hiddenSize) / h100.memoryBandwidthBytesPerSecond) * 1e3
    expect(stepMs({ gpu: h100, model: DENSE }, decode(1, 100))).toBeGreaterThan(weightsMs)
    const flopsMs = ((2 * 7e9 * 8192) / h100.bf16FlopsPerSecond) * 1e3
    const prefill = load({ tokens: 8192, kvTokens: 8192, prefillPairs: 8192 ** 2 / 2 })
    expect(stepMs({ gpu: h100, model: DENSE }, prefill)).toBeGreaterThan(flopsMs)
  })

  it('batches decodes almost for free until KV reads weigh in', () => {
    const [one, many] = [decode(1, 100), decode(32, 100)].map((part) => stepMs({ gpu: h100, model: DENSE }, part))
    expect(many! / one!).toBeLessThan(1.3)
    expect(stepMs({ gpu: h100, model: DENSE }, decode(128, 8000)) / many!).toBeGreaterThan(5)
  })

  it('splits the work over ranks at the price of all-reduces, dearer over PCIe', () => {
    const l40s = gpuById('l40s')!
    const ratio = (gpu: typeof h100) =>
      stepMs({ gpu, model: DENSE, tensorParallel: 4 }, decode(8, 500)) / stepMs({ gpu, model: DENSE }, decode(8, 500))
    expect(ratio(h100)).toBeGreaterThan(0.25)
    expect(ratio(h100)).toBeLessThan(0.7)
    const overheadOf = (gpu: typeof h100) => {
      const [four, one] = [4, 1].map((tensorParallel) =>
        stepMs({ gpu, model: DENSE, tensorParallel }, load({ kvTokens: 0 })),
      )
      return four! - one! / 4
    }
    expect(overheadOf(l40s)).toBeGreaterThan(overheadOf(h100))
  })

  it('reads only the experts a step touches', () => {
    const [one, many] = [decode(1, 10), decode(256, 10)].map((part) => stepMs({ gpu: h100, model: MOE }, part))
    expect(one!).toBeLessThan(stepMs({ gpu: h100, model: DENSE }, decode(1, 10)))
    expect(many! / one!).toBeGreaterThan(1.05)
  })

  it('counts KV bytes of grouped heads and of a latent vector', () => {
    expect(kvBytesPerToken(DENSE, 2)).toBe(131_072)
    expect(kvBytesPerToken({ ...DENSE, mla: { kvLoraRank: 512, qkRopeHeadDim: 64 } }, 2)).toBe(32 * 2 * 576)
  })
})

describe('GPUs', () => {
  it('are found by id and by product label, shared or not', () => {
    for (const gpu of gpus) {
      expect(gpuById(gpu.id)).toBe(gpu)
      expect(gpuByProduct(gpu.product)).toBe(gpu)
      expect(gpuByProduct(`${gpu.product}-SHARED`)).toBe(gpu)
    }
    expect(new Set(gpus.map((gpu) => gpu.product)).size).toBe(gpus.length)
    expect(gpuByProduct('NVIDIA-Nothing')).toBeUndefined()
  })

  it('say where their figures and scalars come from', () => {
    for (const gpu of gpus) {
      expect(gpu.source.length).toBeGreaterThan(20)
      expect(gpu.fitted.fit).toMatch(/fitted/)
      expect(gpu.fitted.computeEfficiency).toBeLessThan(1)
      expect(gpu.fitted.bandwidthEfficiency).toBeLessThan(1)
    }
  })
})
