import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import type { ServerSettings } from '../flags/settings.ts'
import { cudagraphSizes, type Limits } from './limits.ts'

/** A figure that vLLM measures and the sandbox estimates, with the range it believes. Bytes per GPU. */
export interface Estimate {
  readonly low: number
  readonly likely: number
  readonly high: number
}

/** What of a GPU's memory is not weights and not KV cache. */
export interface Overheads {
  /** Kept by the driver: a process sees this much less than the GPU's label says. */
  readonly driver: Estimate
  /** The CUDA context, present before vLLM looks at free memory. */
  readonly context: Estimate
  /** NCCL, cuBLAS and kernel workspaces. */
  readonly runtime: Estimate
  /** The peak of activations in the profiling run, over what stays allocated. */
  readonly activations: Estimate
  readonly cudagraphs: Estimate
}

const MIB = 2 ** 20
const between = (low: number, likely: number, high: number): Estimate => ({ low, likely, high })
const within = (likely: number, factor: number): Estimate => between(likely / factor, likely, likely * factor)

/**
 * Estimates what the profiling run would measure.
 * - driver 512 MiB (270 to 870): the difference of `nvidia-smi` totals and torch's «total capacity», as seen in public
 *   logs of T4, L4, A10G, A100 and H100.
 * - context 480 MiB (300 to 650): vLLM's «Free memory on device (78.71/79.18 GiB)» on an idle H100.
 * - runtime 0.1 GiB alone; with tensor parallelism NCCL and the custom all-reduce add about 1 GiB.
 * - activations: the larger of the widest layer of a full batch (three intermediate and four hidden vectors per token) and
 *   sampling for every sequence (22 bytes per logit: logits, their float32 copy, sorted values and indices), plus 0.4 GiB of
 *   attention workspace.
 * - CUDA graphs: 0.35 MiB per layer and captured size, which gives the 0.5 to 0.6 GiB that vLLM reports for an 8B model.
 * The last three are believed within a factor of 2.
 */
export function estimateOverheads(model: ModelSpec, gpu: GpuSpec, settings: ServerSettings, limits: Limits): Overheads {
  const ranks = settings.tensorParallelSize.value
  const small = gpu.memoryBytes < 30 * 1024 * MIB
  const driver = between(270 * MIB, (small ? 450 : 512) * MIB, (small ? 560 : 870) * MIB)
  const sizes = cudagraphSizes(limits, settings, gpu).length
  const layers = model.layers / settings.pipelineParallelSize.value
  return {
    driver,
    context: between(300 * MIB, 480 * MIB, 650 * MIB),
    runtime: within((ranks > 1 ? 1124 : 100) * MIB, 2),
    activations: within(activationBytes(model, ranks, limits), 2),
    cudagraphs: within(sizes * layers * 0.35 * MIB, 2),
  }
}

function activationBytes(model: ModelSpec, ranks: number, limits: Limits): number {
  const intermediate = model.experts ? model.experts.active * model.experts.intermediateSize : model.intermediateSize
  const expertOutputs = model.experts ? model.experts.active * model.hiddenSize : 0
  const perToken = 2 * ((3 * intermediate) / ranks + 4 * model.hiddenSize + expertOutputs)
  const forward = limits.maxNumBatchedTokens * perToken
  const sampling = Math.min(limits.maxNumSeqs, limits.maxNumBatchedTokens) * model.vocabSize * 22
  return Math.max(forward, sampling) + 400 * MIB
}
