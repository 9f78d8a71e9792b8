import type { Us } from '../../world/time.ts'
import type { WireError } from './errors.ts'

/** What the output must look like. Exactly one is set. */
export interface StructuredOutputs {
  readonly json?: unknown
  readonly regex?: string
  readonly choice?: readonly string[]
  readonly grammar?: string
  readonly jsonObject?: true
  readonly structuralTag?: string
}

/** How tokens are drawn and when they end; checked already (`wire/checks`). */
// follows vllm/sampling_params.py
export interface SamplingParams {
  readonly n: number
  readonly temperature: number
  readonly topP: number
  readonly topK: number
  readonly seed: number | undefined
  /** Never more than the context leaves. */
  readonly maxTokens: number
  readonly minTokens: number
  readonly stop: readonly string[]
  readonly stopTokenIds: readonly number[]
  readonly ignoreEos: boolean
  readonly includeStopStrInOutput: boolean
  readonly skipSpecialTokens: boolean
  readonly spacesBetweenSpecialTokens: boolean
  /** Top tokens besides the sampled one; -1 is the whole vocabulary; undefined: none are wanted. */
  readonly logprobs: number | undefined
  readonly promptLogprobs: number | undefined
  readonly logprobTokenIds: readonly number[] | undefined
  readonly logitBias: ReadonlyMap<number, number> | undefined
  readonly allowedTokenIds: readonly number[] | undefined
  readonly badWords: readonly string[]
  readonly structured: StructuredOutputs | undefined
}

/** One token, drawn as the model has it; for callers that set what they want besides. */
export const plainSampling: SamplingParams = {
  n: 1,
  temperature: 1,
  topP: 1,
  topK: 0,
  seed: undefined,
  maxTokens: 1,
  minTokens: 0,
  stop: [],
  stopTokenIds: [],
  ignoreEos: false,
  includeStopStrInOutput: false,
  skipSpecialTokens: true,
  spacesBetweenSpecialTokens: true,
  logprobs: undefined,
  promptLogprobs: undefined,
  logprobTokenIds: undefined,
  logitBias: undefined,
  allowedTokenIds: undefined,
  badWords: [],
  structured: undefined,
}

export interface GenerationRequest {
  /** `chatcmpl-…`. */
  readonly id: string
  readonly promptTokenIds: readonly number[]
  readonly params: SamplingParams
  /** Lower runs first under the priority policy. */
  readonly priority: number
  readonly lora?: string
  readonly dataParallelRank?: number
  readonly cacheSalt?: string
  /** Text that the generator is to produce, where a parser of the answers expects a form: tool calls. */
  readonly script?: string
}

/** A token and how likely it was. `rank` counts from 1. */
export interface Likely {
  readonly id: number
  readonly logprob: number
  readonly rank: number
  /** Decoded with what went before it, as vLLM does for logprobs. */
  readonly text: string
}

export interface TokenLogprobs {
  readonly sampled: Likely
  /** By rank, the sampled one among them where it belongs. */
  readonly top: readonly Likely[]
}

export interface Finish {
  readonly reason: 'stop' | 'length' | 'abort' | 'repetition'
  /** A stop string, a stop token, or null. */
  readonly stopReason: string | number | null
}

/** What one step of the engine gave one of the `n` sequences of a request. */
export interface SequenceOutput {
  readonly index: number
  /** May be empty: characters not whole yet, or text held back for a stop string. */
  readonly text: string
  readonly tokenIds: readonly number[]
  /** As many as tokens, where wanted. */
  readonly logprobs?: readonly TokenLogprobs[]
  readonly finish?: Finish
}

/** When it happened, for `--enable-per-request-metrics`. */
export interface GenerationTimes {
  readonly arrivedAt: Us
  readonly scheduledAt: Us
  readonly firstTokenAt: Us
  readonly lastTokenAt: Us
}

/** Told of a request's outputs, in order. Exactly one of `ended` and `failed` comes last. */
export interface GenerationObserver {
  /** Once, with the first output: tokens of the prompt found in the prefix cache, and those it newly keeps; logprobs of the prompt where wanted, null first. */
  began?(about: {
    readonly cachedTokens: number
    readonly createdCacheTokens: number
    readonly promptLogprobs?: readonly (TokenLogprobs | null)[]
  }): void
  output(output: SequenceOutput, at: Us): void
  /** All sequences have finished. */
  ended(times: GenerationTimes, at: Us): void
  /** A check of the engine, or its death: a chunk of a stream, or the status of a whole answer. */
  failed(error: WireError, at: Us): void
}

/** An engine behind the wire. */
export interface Generator {
  /** What the engine refuses is told by `failed`, later. Returns how the client leaves, which tells nobody anything. */
  generate(request: GenerationRequest, observer: GenerationObserver): () => void
}
