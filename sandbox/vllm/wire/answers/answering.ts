import type { LogprobOptions } from './likely.ts'

/** What every answer to a generation carries. */
export interface Answering {
  /** `chatcmpl-…` or `cmpl-…`. */
  readonly id: string
  /** Seconds of the Unix epoch. */
  readonly created: number
  /** As answers name it: the first served name, or the LoRA adapter's. */
  readonly model: string
  readonly fingerprint: string | null
  /** `n` of the request. */
  readonly choices: number
  /** Undefined: none are wanted. */
  readonly logprobs: Omit<LogprobOptions, 'float'> | undefined
  /** `return_token_ids`. */
  readonly tokenIds: boolean
  readonly includeUsage: boolean
  readonly continuousUsage: boolean
  /** `--enable-prompt-tokens-details` */
  readonly promptDetails: boolean
  /** `--enable-per-request-metrics`, of a request that has only one sequence. */
  readonly metrics: boolean
}

export const jsonIds = (ids: readonly number[]): string => `[${ids.join(',')}]`
