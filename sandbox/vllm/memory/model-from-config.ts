import { defineModels, type ModelShape } from '../../../fixtures/models/define.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * Describes a model by its `config.json`, as it lies in a folder. `weightsBytes` is the size of its weight files, where they are known.
 * Undefined: it lacks a field that every decoder has.
 */
export function modelFromConfig(id: string, config: Json, weightsBytes?: number): ModelSpec | undefined {
  const text = (config['text_config'] as Json | undefined) ?? config
  const number = (name: string): number | undefined => {
    const value = text[name]
    return typeof value === 'number' ? value : undefined
  }
  const layers = number('num_hidden_layers')
  const hiddenSize = number('hidden_size')
  const attentionHeads = number('num_attention_heads')
  const vocabSize = number('vocab_size')
  const [architecture] = (config['architectures'] as readonly string[] | undefined) ?? []
  if (!layers || !hiddenSize || !attentionHeads || !vocabSize || !architecture) return undefined
  const experts = expertsOf(number)
  const shape: ModelShape = {
    architecture,
    layers,
    hiddenSize,
    attentionHeads,
    vocabSize,
    intermediateSize: number('intermediate_size') ?? 4 * hiddenSize,
    kvHeads: number('num_key_value_heads') ?? attentionHeads,
    headDim: number('head_dim') ?? hiddenSize / attentionHeads,
    maxPositionEmbeddings: number('max_position_embeddings') ?? 2048,
    tiedEmbeddings: text['tie_word_embeddings'] === true,
    dtype: dtypeOf(text['dtype'] ?? text['torch_dtype']),
    qkvBias: text['attention_bias'] === true,
    source: `${id}/config.json`,
    ...(experts ? { experts } : {}),
    ...(weightsBytes ? { weightsBytes } : {}),
  }
  return defineModels([id], shape)[0]
}

function dtypeOf(value: unknown): ModelSpec['dtype'] {
  return value === 'float16' || value === 'float32' ? value : 'bfloat16'
}

function expertsOf(number: (name: string) => number | undefined): ModelSpec['experts'] {
  const total = number('num_local_experts') ?? number('num_experts') ?? number('n_routed_experts')
  if (!total) return undefined
  return {
    total,
    active: number('num_experts_per_tok') ?? 1,
    intermediateSize: number('moe_intermediate_size') ?? number('intermediate_size') ?? 0,
    ...(number('n_shared_experts') ? { shared: number('n_shared_experts')! } : {}),
  }
}
