import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import type { StepLoad, StepModel } from './types.ts'

export interface RooflineOptions {
  readonly gpu: GpuSpec
  readonly model: ModelSpec
  /** GPUs the weights are split over. Default 1. */
  readonly tensorParallel?: number
  /** Bytes of the weights as loaded, all GPUs together; default the checkpoint's. */
  readonly weightsBytes?: number
  /** The arithmetic of the linear layers; default fp8 where checkpoint and GPU have it. */
  readonly linearDtype?: 'bf16' | 'fp8'
  /** Bytes per element of the KV cache. Default 2. */
  readonly kvElementBytes?: number
}

/** Share of the linear layers' efficiency that attention kernels reach: 0.65 on an RTX PRO 6000 (chunks of 1k to 2k tokens). */
const ATTENTION_COMPUTE_SHARE = 0.65
/** Norms, activation, rotary embedding and the fixed part of attention in one layer: kernels too small to fill a GPU. */
const LAYER_FLOOR_US = 15
/** One all-reduce of a small message over NVLink, and over PCIe. */
const ALL_REDUCE_NVLINK_US = 8
const ALL_REDUCE_PCIE_US = 25
/** Batches of decode steps below this size are worked out once. */
const DECODE_BATCH_MAX = 1025
/** Links at least this fast are NVLink or its like. */
const NVLINK_BYTES_PER_SECOND = 100e9

/**
 * Step time as a roofline of GPU × model × batch. The weights are read once per step while the tokens are multiplied by
 * them, each sequence's KV cache is read once, and chunks pay for their query × key pairs; matrix time is √(compute² +
 * memory²), which follows measured kernels through the knee where both matter. All-reduces, a floor per layer, and fixed
 * costs per step and sequence come on top.
 */
export function rooflineStepModel(options: RooflineOptions): StepModel {
  const cost = costsOf(options)
  /** Seconds of linear layers and head where every sequence gets one token, by their number; 0: not asked for yet. */
  const decodeSeconds = new Float64Array(DECODE_BATCH_MAX)
  const matrixSeconds = (load: Readonly<StepLoad>): number => {
    const { tokens, sampled } = load
    if (tokens !== sampled || tokens >= DECODE_BATCH_MAX) return linearSeconds(cost, load) + headSeconds(cost, load)
    const known = decodeSeconds[tokens]!
    if (known !== 0) return known
    const made = linearSeconds(cost, load) + headSeconds(cost, load)
    decodeSeconds[tokens] = made
    return made
  }
  return {
    stepTimePs(load) {
      const seconds = matrixSeconds(load) + attentionSeconds(cost, load)
      const fixed = cost.fixedSeconds + cost.perSequenceSeconds * load.sequences
      return Math.max(1, Math.round((seconds + fixed + cost.allReducePerTokenSeconds * load.tokens) * 1e12))
    },
  }
}

/** Seconds per unit of load, so that a step costs a handful of multiplications. */
interface Costs {
  linearPerTokenSeconds: number
  /** Reading the weights every token uses. */
  denseReadSeconds: number
  /** Reading all experts once; a step touches some of them. */
  expertReadSeconds: number
  /** Chance that one token leaves a given expert untouched. */
  expertMiss: number
  headPerTokenSeconds: number
  headReadSeconds: number
  kvReadPerTokenSeconds: number
  attentionPerPairSeconds: number
  allReducePerTokenSeconds: number
  fixedSeconds: number
  perSequenceSeconds: number
}

function costsOf(options: RooflineOptions): Costs {
  const { gpu, model, tensorParallel: ranks = 1 } = options
  const { fitted } = gpu
  const weightsBytes = options.weightsBytes ?? model.weightsBytes
  const shape = parametersOf(model)
  const bandwidth = gpu.memoryBandwidthBytesPerSecond * fitted.bandwidthEfficiency * ranks
  const bf16 = gpu.bf16FlopsPerSecond * fitted.computeEfficiency * ranks
  const wantsFp8 = (options.linearDtype ?? (model.quantization === 'fp8' ? 'fp8' : 'bf16')) === 'fp8'
  const linear = wantsFp8 && gpu.fp8FlopsPerSecond ? gpu.fp8FlopsPerSecond * fitted.computeEfficiency * ranks : bf16
  const linearBytes = Math.max(weightsBytes - shape.embedding * 2, 0)
  const bytesPerParameter = linearBytes / shape.linear
  const nvlink = gpu.interconnectBytesPerSecond >= NVLINK_BYTES_PER_SECOND
  const reduces = ranks > 1 ? 2 * model.layers : 0
  const reduceLatency = (nvlink ? ALL_REDUCE_NVLINK_US : ALL_REDUCE_PCIE_US) * 1e-6
  return {
    linearPerTokenSeconds: (2 * shape.active) / linear,
    denseReadSeconds: ((shape.linear - shape.experts) * bytesPerParameter) / bandwidth,
    expertReadSeconds: (shape.experts * bytesPerParameter) / bandwidth,
    expertMiss: model.experts ? 1 - model.experts.active / model.experts.total : 0,
    headPerTokenSeconds: (2 * shape.head) / bf16,
    headReadSeconds: (2 * shape.head) / bandwidth,
    // Each rank reads its own KV heads; where there are fewer heads than ranks, and for a latent vector, they read copies.
    kvReadPerTokenSeconds:
      (kvBytesPerToken(model, options.kvElementBytes ?? 2) / bandwidth) *
      (ranks / Math.min(ranks, model.mla ? 1 : model.kvHeads)),
    attentionPerPairSeconds:
      (4 * model.attentionHeads * model.headDim * model.layers) / (bf16 * ATTENTION_COMPUTE_SHARE),
    allReducePerTokenSeconds:
      (reduces * 2 * (ranks - 1) * model.hiddenSize * 2) / ranks / gpu.interconnectBytesPerSecond,
    fixedSeconds: (fitted.stepOverheadUs + LAYER_FLOOR_US * model.layers) * 1e-6 + reduces * reduceLatency,
    perSequenceSeconds: fitted.perSequenceUs * 1e-6,
  }
}

/** KV cache of one token over all layers, in bytes. */
export function kvBytesPerToken(model: ModelSpec, elementBytes: number): number {
  const { mla, layers, kvHeads, headDim } = model
  return layers * elementBytes * (mla ? mla.kvLoraRank + mla.qkRopeHeadDim : 2 * kvHeads * headDim)
}

/** Parameters by their part in a step. `linear` is all that is multiplied per token, `active` what one token meets of it. */
function parametersOf(model: ModelSpec) {
  const table = model.vocabSize * model.hiddenSize
  const embedding = model.tiedEmbeddings ? table : 2 * table
  const linear = Math.max(model.parameters - embedding, 1)
  const { experts } = model
  const perExpert = experts ? model.layers * 3 * model.hiddenSize * experts.intermediateSize : 0
  const routed = experts ? Math.min(perExpert * experts.total, linear) : 0
  const idle = experts ? routed * (1 - experts.active / experts.total) : 0
  return { embedding, head: table, linear, experts: routed, active: linear - idle }
}

function linearSeconds(cost: Costs, load: Readonly<StepLoad>): number {
  const compute = cost.linearPerTokenSeconds * load.tokens
  const touched = cost.expertReadSeconds === 0 ? 0 : 1 - cost.expertMiss ** load.tokens
  const memory = cost.denseReadSeconds + cost.expertReadSeconds * touched
  return Math.sqrt(compute * compute + memory * memory)
}

function headSeconds(cost: Costs, load: Readonly<StepLoad>): number {
  if (load.sampled === 0) return 0
  const compute = cost.headPerTokenSeconds * load.sampled
  return Math.sqrt(compute * compute + cost.headReadSeconds * cost.headReadSeconds)
}

function attentionSeconds(cost: Costs, load: Readonly<StepLoad>): number {
  return cost.kvReadPerTokenSeconds * load.kvTokens + cost.attentionPerPairSeconds * load.prefillPairs
}
