import { z } from 'zod'
import { bandwidth, bytes, cores, count, duration, parsed, text } from './figures.ts'

/** What `seatrial.yaml` says of models, and of containers that fetch them. */

const modelSpec = z.strictObject({
  id: text,
  architecture: text,
  layers: count,
  hiddenSize: count,
  intermediateSize: count,
  attentionHeads: count,
  kvHeads: count,
  headDim: count,
  vocabSize: count,
  maxPositionEmbeddings: count,
  tiedEmbeddings: z.boolean().optional(),
  experts: z
    .strictObject({ total: count, active: count, intermediateSize: count, shared: count.optional() })
    .optional(),
  mla: z.strictObject({ kvLoraRank: count, qkRopeHeadDim: count }).optional(),
  dtype: z.enum(['bfloat16', 'float16', 'float32']),
  quantization: z.enum(['fp8', 'awq', 'gptq', 'mxfp4', 'nvfp4']).optional(),
  parameters: z.number().positive(),
  weightsBytes: z.number().positive(),
  source: z.string().default('seatrial.yaml'),
})

const described = z.strictObject({
  /** The model it is, by a name that is known: of a hub, or of another entry. */
  sameAs: text.optional(),
  loadTime: duration.optional(),
  loadBandwidth: bandwidth.optional(),
  idleCpu: cores.optional(),
  imageSize: bytes.optional(),
  spec: modelSpec.optional(),
})

/** A name alone says which known model it is: `/models/chat: meta-llama/Llama-3.1-8B-Instruct`. */
export const model = z
  .unknown()
  .transform((value) => (typeof value === 'string' ? { sameAs: value } : value))
  .pipe(described)
  .meta({ anyOf: [{ type: 'string', examples: ['meta-llama/Llama-3.1-8B-Instruct'] }, forEditors()] })

/** An init container: how long it runs, or how fast it fetches what is known to be fetched. */
export const container = z.strictObject({ runTime: duration.optional(), bandwidth: bandwidth.optional() })

const version = parsed((value): string => {
  const written = /^v?(\d+\.\d+\.\d+)$/.exec(String(value))?.[1]
  if (written === undefined)
    throw new RangeError(`not a version of vLLM: ${String(value).slice(0, 40)} (write it like 0.11.2)`)
  return written
}).meta({ type: 'string', pattern: String.raw`^v?\d+\.\d+\.\d+$`, examples: ['0.11.2'] })

/** How much a node pulls for an image, and which vLLM it holds where its tag does not say. */
export const image = z.strictObject({ size: bytes.optional(), vllm: version.optional() })

function forEditors(): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(described, { io: 'input', unrepresentable: 'any' })
  return schema
}
