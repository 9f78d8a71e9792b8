import { expect, it } from 'vitest'
import { modelFromConfig } from './model-from-config.ts'

const LLAMA = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 1024,
  max_position_embeddings: 32768,
  torch_dtype: 'float16',
}

it('describes a decoder by its config.json', () => {
  expect(modelFromConfig('m', { ...LLAMA, num_key_value_heads: 2 })).toMatchObject({
    id: 'm',
    architecture: 'LlamaForCausalLM',
    kvHeads: 2,
    headDim: 16,
    dtype: 'float16',
    maxPositionEmbeddings: 32768,
  })
  expect(modelFromConfig('m', LLAMA)?.kvHeads).toBe(4)
  expect(modelFromConfig('m', LLAMA, 5e9)?.weightsBytes).toBe(5e9)
  expect(modelFromConfig('m', { architectures: ['X'], text_config: LLAMA })?.layers).toBe(2)
  expect(modelFromConfig('m', { ...LLAMA, num_experts: 8, num_experts_per_tok: 2 })?.experts).toMatchObject({
    total: 8,
    active: 2,
  })
})

it('gives up where a field is missing that every decoder has', () => {
  expect(modelFromConfig('m', { ...LLAMA, vocab_size: undefined })).toBeUndefined()
})
