import type { ModelSpec } from '../../../fixtures/models/model.ts'
import type { ServerSettings } from '../flags/settings.ts'

/** Layers of each pipeline stage: the remainder goes to the stages before the last, from the back. */
// follows vllm/distributed/utils.py get_pp_indices
export function pipelineLayers(layers: number, stages: number): number[] {
  const each = Math.floor(layers / stages)
  const parts = Array.from({ length: stages }, () => each)
  for (let i = 2; i < (layers % stages) + 2; i++) parts[stages - i]! += 1
  return parts
}

/** Bytes of weights a GPU holds, on the stage that holds most. */
export function weightsBytesPerGpu(model: ModelSpec, settings: ServerSettings): number {
  const ranks = settings.tensorParallelSize.value
  const stages = settings.pipelineParallelSize.value
  const elementBytes = settings.dtype.value === 'float32' || settings.dtype.value === 'float' ? 4 : 2
  const table = model.vocabSize * model.hiddenSize * elementBytes
  const embeddings = model.tiedEmbeddings ? table : 2 * table
  const stored = model.dtype === 'float32' ? 4 : 2
  const matrices = Math.max(model.weightsBytes - (embeddings / elementBytes) * stored, 0)
  const scaled = matrices * matrixScale(model, settings, elementBytes / stored)
  const perLayer = splitLayer(model, settings, scaled / model.layers)
  const stage = (layers: number, i: number) => {
    const first = i === 0 ? table : 0
    const last = i === stages - 1 && (!model.tiedEmbeddings || stages > 1) ? table : 0
    return layers * perLayer + (first + last) / ranks
  }
  const most = Math.max(...pipelineLayers(model.layers, stages).map(stage))
  return Math.max(0, Math.round(most - settings.cpuOffloadGb.value * 2 ** 30))
}

/** What loading does to the size of the matrices: online quantisation shrinks them, float32 doubles them. */
function matrixScale(model: ModelSpec, settings: ServerSettings, widening: number): number {
  if (model.quantization) return 1
  const method = settings.quantization.value
  if (method === undefined) return widening
  if (/fp8|int8/.test(method)) return 0.5
  return /fp4|bitsandbytes|4bit/.test(method) ? 0.5625 / 2 : widening
}

/** A layer over the ranks: experts over all of them, attention over the tensor-parallel ones, scarce KV heads copied. */
function splitLayer(model: ModelSpec, settings: ServerSettings, layerBytes: number): number {
  const ranks = settings.tensorParallelSize.value
  const { hiddenSize: h, attentionHeads, kvHeads, headDim, experts } = model
  const attention = 2 * h * attentionHeads * headDim + 2 * h * kvHeads * headDim
  const mlp =
    3 * h * (experts ? experts.intermediateSize * (experts.total + (experts.shared ?? 0)) : model.intermediateSize)
  const share = layerBytes / (attention + mlp)
  const kvCopies = Math.max(1, model.mla ? 1 : ranks / kvHeads)
  const keysAndValues = 2 * h * kvHeads * headDim
  const attentionPerRank = (attention + keysAndValues * (kvCopies - 1)) / ranks
  const expertRanks = experts ? ranks * settings.dataParallelSize.value : ranks
  return share * (attentionPerRank + mlp / expertRanks)
}
