import type { GenerationTimes, Likely, TokenLogprobs } from '../generation.ts'
import type { StreamedAnswer } from '../http.ts'
import type { Answering } from './answering.ts'

/** A stream that keeps what was written. */
export class KeptStream implements StreamedAnswer {
  readonly chunks: string[] = []
  state: 'open' | 'ended' | 'cut' = 'open'

  write(chunk: string | Uint8Array): void {
    this.chunks.push(String(chunk))
  }

  end(): void {
    this.state = 'ended'
  }

  cut(): void {
    this.state = 'cut'
  }
}

export const ANSWERING: Answering = {
  id: 'chatcmpl-abc',
  created: 1795303955,
  model: 'tiny-llama',
  fingerprint: 'vllm-0.32.0-8d23d643',
  choices: 1,
  logprobs: undefined,
  tokenIds: false,
  includeUsage: false,
  continuousUsage: false,
  promptDetails: false,
  metrics: false,
}

/** Scheduled after 1 ms, first token after 11 ms, last after 31 ms. */
export const TIMES: GenerationTimes = { arrivedAt: 0, scheduledAt: 1000, firstTokenAt: 11_000, lastTokenAt: 31_000 }

export const likely = (id: number, text: string, logprob: number, rank: number): Likely => ({ id, text, logprob, rank })

/** The sampled token, and the top ones by rank. */
export const step = (sampled: Likely, ...top: readonly Likely[]): TokenLogprobs => ({ sampled, top })

export const BEGAN = { cachedTokens: 0, createdCacheTokens: 0 }
