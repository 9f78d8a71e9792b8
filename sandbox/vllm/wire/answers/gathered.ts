import type { Us } from '../../../world/time.ts'
import type { WireError } from '../errors.ts'
import type { GenerationObserver, GenerationTimes, SequenceOutput } from '../generation.ts'
import { Collector } from './collected.ts'

/** Tells all of a request's sequences at its end, each in one output, as a search over beams does, which knows no probabilities of the prompt. */
// follows vllm/entrypoints/generate/beam_search/online.py
export class Gathered implements GenerationObserver {
  private readonly inner: GenerationObserver
  private readonly collector: Collector
  private about: Parameters<NonNullable<GenerationObserver['began']>>[0] | undefined

  constructor(inner: GenerationObserver, sequences: number) {
    this.inner = inner
    this.collector = new Collector(sequences)
  }

  began(about: Parameters<NonNullable<GenerationObserver['began']>>[0]): void {
    this.about = about
  }

  output(output: SequenceOutput): void {
    this.collector.add(output)
  }

  ended(times: GenerationTimes, at: Us): void {
    if (this.about) {
      const { cachedTokens, createdCacheTokens } = this.about
      this.inner.began?.({ cachedTokens, createdCacheTokens })
    }
    for (const [index, { text, tokenIds, logprobs, finish }] of this.collector.sequences.entries())
      this.inner.output(
        { index, text, tokenIds, ...(logprobs.length > 0 && { logprobs }), ...(finish && { finish }) },
        at,
      )
    this.inner.ended(times, at)
  }

  failed(error: WireError, at: Us): void {
    this.inner.failed(error, at)
  }
}
