import { z } from 'zod'
import { compareQuantities, parseQuantity } from '../../../sandbox/kube/quantity.ts'
import type { LengthDistribution } from '../../load/lengths.ts'
import { nodeGroupName } from './node-group-name.ts'
import { parseBandwidth, parseBytes, parseRate, parseShare, parseTime } from './units.ts'

/**
 * A figure the user gives: the value alone (`540s`), or with what is known of it
 * (`{ value: 540s, range: [500s, 700s], measured: "kubectl events, 3 starts" }`).
 */
export interface Declared<T> {
  readonly value: T
  readonly range?: readonly [T, T]
  /** How it was measured; absent where it is only given. */
  readonly measured?: string
}

/** A value that `parse` reads from one text, number or map. A RangeError becomes the message. */
const parsed = <T>(parse: (value: unknown) => T) =>
  z.unknown().transform((value, context): T => {
    try {
      return parse(value)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  })

const declared = (parse: (value: unknown) => number) =>
  parsed((value): Declared<number> => {
    if (value === null || typeof value !== 'object') return { value: parse(value) }
    const { value: given, range, measured, ...rest } = value as Record<string, unknown>
    const unknown = Object.keys(rest)[0]
    if (unknown !== undefined) throw new RangeError(`unknown key "${unknown}" (known: value, range, measured)`)
    if (given === undefined) throw new RangeError('a figure needs a value: { value: 540s, range: [500s, 700s] }')
    return {
      value: parse(given),
      ...(range === undefined ? {} : { range: parseRange(range, parse) }),
      ...(measured === undefined ? {} : { measured: parseText(measured) }),
    }
  })

const positive = (parse: (value: unknown) => number) => (value: unknown) => {
  const number = parse(value)
  if (!(number > 0)) throw new RangeError(`must be more than 0, not ${String(value)}`)
  return number
}

const duration = declared(positive(parseTime))
const bytes = declared(positive(parseBytes))
const bandwidth = declared(positive(parseBandwidth))
/** Memory the kubelet keeps back: with no more than that a node has none for pods. Follows pkg/kubelet/eviction/defaults_linux.go. */
const EVICTION_MEMORY = '100Mi'
const NOTHING = parseQuantity('0')

/** A Kubernetes quantity as text; sizes such as 2TB become one. */
const memory = parsed((value) => {
  const text = String(value)
  const size = isQuantity(text) ? text : String(parseBytes(text))
  if (compareQuantities(parseQuantity(size), parseQuantity(EVICTION_MEMORY)) <= 0)
    throw new RangeError(
      `must be more than ${EVICTION_MEMORY}, which the kubelet keeps free (its eviction threshold), not ${text}`,
    )
  return size
})
const cpu = parsed((value) => {
  const text = String(value)
  if (!isQuantity(text)) throw new RangeError(`not a CPU quantity: ${text.slice(0, 60)} (write it like 64 or 500m)`)
  if (compareQuantities(parseQuantity(text), NOTHING) <= 0) throw new RangeError(`must be more than 0, not ${text}`)
  return text
})

const count = z.int().min(1)
const text = z.string().min(1)

const gpu = z.strictObject({ product: text.optional(), id: text.optional(), count: z.int().min(0).max(64) })

const nodeGroup = z.strictObject({
  name: text.optional(),
  count,
  gpu: gpu.optional(),
  cpu: cpu.optional(),
  memory: memory.optional(),
  labels: z.record(z.string(), z.string()).optional(),
  taints: z
    .array(
      z.strictObject({
        key: text,
        value: z.string().optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
      }),
    )
    .optional(),
  images: z.array(text).optional(),
})

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

const lengths = parsed(parseLengths)

const slos = z.strictObject({
  availability: declared(parseShare).optional(),
  ttft: z.strictObject({ p95: duration.optional(), p99: duration.optional() }).optional(),
  tpot: z.strictObject({ p95: duration.optional() }).optional(),
  e2e: z.strictObject({ p95: duration.optional() }).optional(),
})

const workload = z.strictObject({
  arrival: z
    .strictObject({ rate: declared(positive(parseRate)), kind: z.enum(['constant', 'poisson']).default('poisson') })
    .optional(),
  promptTokens: lengths.optional(),
  outputTokens: lengths.optional(),
  duration: duration.optional(),
  timeout: duration.optional(),
  slos: slos.optional(),
})

/** What `seatrial.yaml` may say. Every part is optional; unknown keys are refused. */
export const configSchema = z.strictObject({
  name: text.optional(),
  nodes: z.array(nodeGroup).min(1).superRefine(namesOnce).optional(),
  models: z
    .record(
      z.string(),
      z.strictObject({
        loadTime: duration.optional(),
        loadBandwidth: bandwidth.optional(),
        imageSize: bytes.optional(),
        spec: modelSpec.optional(),
      }),
    )
    .optional(),
  images: z.record(z.string(), z.strictObject({ size: bytes })).optional(),
  registry: z.strictObject({ bandwidth: bandwidth.optional() }).optional(),
  workloads: z.record(z.string(), workload).optional(),
  slos: slos.optional(),
  scenarios: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
})

/** Nodes are named after their group. The issue is at the later name that is written. */
function namesOnce(groups: readonly { name?: string | undefined }[], context: z.core.$RefinementCtx): void {
  const first = new Map<string, number>()
  for (const [i, group] of groups.entries()) {
    const name = nodeGroupName(group, i)
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, i)
    else
      context.addIssue({
        code: 'custom',
        path: [group.name === undefined ? earlier : i, 'name'],
        message: `another node group is called ${name} too`,
      })
  }
}

function parseRange(value: unknown, parse: (value: unknown) => number): [number, number] {
  if (!Array.isArray(value) || value.length !== 2) throw new RangeError('a range is a list of two: [low, high]')
  const [low, high] = [parse(value[0]), parse(value[1])]
  if (low > high)
    throw new RangeError(`a range goes from low to high, not from ${String(value[0])} to ${String(value[1])}`)
  return [low, high]
}

function parseText(value: unknown): string {
  if (typeof value !== 'string') throw new RangeError('measured says how, in words: "kubectl events, 3 starts"')
  return value
}

function parseLengths(value: unknown): LengthDistribution {
  if (typeof value === 'number') return { kind: 'constant', tokens: tokens(value) }
  const { min, max, mean, p95, ...rest } = (value !== null && typeof value === 'object' ? value : {}) as Record<
    string,
    unknown
  >
  if (
    Object.keys(rest).length === 0 &&
    mean !== undefined &&
    p95 !== undefined &&
    min === undefined &&
    max === undefined
  ) {
    const [meanTokens, p95Tokens] = [tokens(mean), tokens(p95)]
    if (p95Tokens <= meanTokens) throw new RangeError(`p95 (${p95Tokens}) must be more than the mean (${meanTokens})`)
    return { kind: 'lognormal', meanTokens, p95Tokens }
  }
  if (
    Object.keys(rest).length === 0 &&
    min !== undefined &&
    max !== undefined &&
    mean === undefined &&
    p95 === undefined
  ) {
    const [minTokens, maxTokens] = [tokens(min), tokens(max)]
    if (minTokens > maxTokens) throw new RangeError(`min (${minTokens}) must not be more than max (${maxTokens})`)
    return { kind: 'uniform', minTokens, maxTokens }
  }
  throw new RangeError('token lengths are a number, { mean: 512, p95: 2048 } or { min: 16, max: 512 }')
}

function tokens(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1)
    throw new RangeError(`a number of tokens is a whole number of at least 1, not ${String(value)}`)
  return value as number
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text)
    return true
  } catch {
    return false
  }
}
