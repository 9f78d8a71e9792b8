import type { Us } from '../../world/time.ts'
import type { HistogramBuckets } from './metrics.ts'
import type { RequestGroup } from './request-group.ts'

/** What decides vLLM's scheduling; the names are those of its flags. */
export interface EngineConfig {
  /** KV blocks as vLLM reports them at start-up; one of them is the null block and never holds tokens. */
  readonly numGpuBlocks: number
  /** Tokens per KV block. Default 16. */
  readonly blockSize?: number
  readonly maxModelLen: number
  /** Default 256, `vllm serve`'s on GPUs below 70 GiB; the server's flags set it for others. */
  readonly maxNumSeqs?: number
  /** Default 2048, likewise. */
  readonly maxNumBatchedTokens?: number
  /** Default true. */
  readonly enablePrefixCaching?: boolean
  /** Default true. When false a prompt longer than what is left of the budget waits for a step of its own. */
  readonly enableChunkedPrefill?: boolean
  /** Longest prefill chunk while other requests exist; 0 (default) is no limit. */
  readonly longPrefillTokenThreshold?: number
  /** Raises that limit to a fair share of the budget. Default false. */
  readonly longPrefillTokenThresholdAdaptive?: boolean
  /** Default `fcfs`. */
  readonly schedulingPolicy?: 'fcfs' | 'priority'
  /** Step n + 1 is scheduled while step n runs. Default true, as in 0.32. */
  readonly asyncScheduling?: boolean
  /** Admit a request only when its whole prompt fits. Default true. */
  readonly schedulerReserveFullIsl?: boolean
  /** Share of blocks kept free when admitting while others run. Default 0. */
  readonly watermark?: number
  /** Tells by `vllm:lora_requests_info` which adapters are in use. Default false. */
  readonly enableLora?: boolean
  /** Where the version's histograms differ from those of 0.32. */
  readonly histogramBuckets?: HistogramBuckets
}

/** One event per step, or jumps over runs of like decode steps. */
export type EngineDriver = 'exact' | 'leap'

export type ResolvedEngineConfig = Required<EngineConfig>

/** vLLM's defaults filled in. Throws a RangeError where vLLM would refuse to start. */
export function resolveConfig(config: EngineConfig): ResolvedEngineConfig {
  const resolved: ResolvedEngineConfig = {
    blockSize: 16,
    maxNumSeqs: 256,
    maxNumBatchedTokens: 2048,
    enablePrefixCaching: true,
    enableChunkedPrefill: true,
    longPrefillTokenThreshold: 0,
    longPrefillTokenThresholdAdaptive: false,
    schedulingPolicy: 'fcfs',
    asyncScheduling: true,
    schedulerReserveFullIsl: true,
    watermark: 0,
    enableLora: false,
    histogramBuckets: {},
    ...defined(config),
  }
  const counts = ['numGpuBlocks', 'blockSize', 'maxModelLen', 'maxNumSeqs', 'maxNumBatchedTokens'] as const
  for (const name of counts) {
    if (!Number.isInteger(resolved[name]) || resolved[name] < 1)
      throw new RangeError(`engine config: ${name} must be a positive integer, got ${resolved[name]}`)
  }
  if (resolved.maxNumBatchedTokens < resolved.maxNumSeqs)
    throw new RangeError(
      `max_num_batched_tokens (${resolved.maxNumBatchedTokens}) must be greater than or equal to max_num_seqs (${resolved.maxNumSeqs}).`,
    )
  if (resolved.numGpuBlocks * resolved.blockSize < resolved.maxModelLen)
    throw new RangeError(
      `engine config: ${resolved.numGpuBlocks} blocks of ${resolved.blockSize} tokens cannot hold one request of max_model_len ${resolved.maxModelLen}`,
    )
  return resolved
}

function defined(config: EngineConfig): EngineConfig {
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  ) as unknown as EngineConfig
}

/** Why a request ended; the order is that of vLLM's FinishReason. */
export type FinishReason = 'stop' | 'length' | 'abort'

/** One request as the API server hands it to the engine. */
export interface EngineRequest {
  readonly id: string
  readonly promptTokens: number
  /** Tokens it generates when nothing stops it earlier. */
  readonly outputTokens: number
  /** The client's max_tokens; without one, what the context leaves. Reaching it is `length`, ending earlier `stop`. */
  readonly maxTokens?: number
  /** Why it ends, where reaching `maxTokens` does not tell: its last token may end it as well. */
  readonly reason?: FinishReason
  /** One hash per leading full prompt block; equal hashes at equal positions mean equal tokens. Blocks beyond are unique. */
  readonly prefixHashes?: readonly number[]
  /**
   * One hash per full block that follows those of the prompt, the first with the prompt's last tokens in it: what another request's prompt may
   * go on with. They count only where `prefixHashes` has all of the prompt's blocks. Left out: those blocks are unique.
   */
  readonly outputHashes?: readonly number[]
  /** Lower runs first under the priority policy. Default 0. */
  readonly priority?: number
  /** Of the sequences of one request with `n` > 1, each of which is one of these. */
  readonly group?: RequestGroup
  /** Name of the adapter it uses. */
  readonly lora?: string
}

/** How a request's prompt was computed. */
export interface PromptResult {
  /** When it was first scheduled, µs with fraction. */
  readonly scheduledAt: number
  /** Prompt tokens that the prefix cache had. */
  readonly cachedTokens: number
}

/** Told of a request's fate with exact times. `finished` is called once; never for a request its client aborted. */
export interface EngineObserver {
  firstToken?(at: Us, prompt: PromptResult): void
  /** Each token, the first and the last too; the first after `firstToken`, the last before `finished`. */
  token?(at: Us): void
  finished?(result: { at: Us; outputTokens: number; reason: FinishReason }): void
}

/** What one step computes, in sums: all a step-time model may look at. Reused between steps; do not keep it. */
export interface StepLoad {
  /** Tokens computed. */
  tokens: number
  /** Requests in the batch. */
  sequences: number
  /** Requests that get a token out of this step. */
  sampled: number
  /** Σ context length over the batch after the step: tokens of KV cache read. */
  kvTokens: number
  /** Σ query × key pairs of chunks longer than one token. */
  prefillPairs: number
}

/** How long a step takes. */
export interface StepModel {
  /** Integer picoseconds, > 0. */
  stepTimePs(load: Readonly<StepLoad>): number
}

/** A look at the engine between steps. `waiting` counts what the scheduler knows, `inbox` what it has not picked up yet. */
export interface EngineStats {
  readonly running: number
  readonly waiting: number
  readonly inbox: number
  /** 0 to 1. */
  readonly kvCacheUsage: number
  readonly preemptions: number
  readonly steps: number
  readonly generatedTokens: number
  /** Prompt and output tokens that went through the model. */
  readonly computedTokens: number
  readonly hung: boolean
  /** Of all steps that were launched, to the end of the last one. */
  readonly launchedUs: number
  /** When the step launched last ends; undefined when none is under way. */
  readonly lastEndAt: Us | undefined
}
