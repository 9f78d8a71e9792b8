import type { Us } from '../../../world/time.ts'
import type { EngineHost } from '../../engine/engine-host.ts'
import type { EngineRequest, PromptResult } from '../../engine/types.ts'
import type { GenerationObserver, GenerationRequest, SequenceOutput } from '../generation.ts'
import type { WireTokenizer } from '../serving.ts'
import { promptLikelihoods } from './likelihoods.ts'
import type { Prose } from './prose.ts'
import type { Sequence, SequenceOwner } from './sequence.ts'

interface Parts {
  readonly request: GenerationRequest
  readonly observer: GenerationObserver
  readonly tokenizer: WireTokenizer
  readonly prose: Prose
  readonly arrivedAt: Us
  readonly engine: EngineHost
}

/** A request the engine works on: its sequences, and what its observer was told. */
export class Generation implements SequenceOwner {
  private readonly parts: Parts
  private sequences: readonly Sequence[] = []
  private unfinished = 0
  private hasBegun = false
  private left = false
  private scheduledAt: Us | undefined
  private firstTokenAt: Us | undefined
  private lastTokenAt: Us | undefined

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** Asks the engine. Throws as it does. */
  begin(asked: readonly { readonly sequence: Sequence; readonly asked: EngineRequest }[]): void {
    this.sequences = asked.map(({ sequence }) => sequence)
    this.unfinished = asked.length
    for (const { sequence, asked: request } of asked) sequence.begin(this.parts.engine, request)
  }

  leave(): void {
    this.left = true
    for (const sequence of this.sequences) sequence.leave()
  }

  began(prompt: PromptResult | undefined): void {
    if (this.hasBegun) return
    this.hasBegun = true
    const { request, observer, tokenizer, prose, engine } = this.parts
    const { promptTokenIds, params } = request
    const { blockSize, enablePrefixCaching } = engine.engine.config
    const cachedTokens = prompt?.cachedTokens ?? 0
    const whole = Math.floor(promptTokenIds.length / blockSize) * blockSize
    const createdCacheTokens = prompt && enablePrefixCaching ? Math.max(0, whole - cachedTokens) : 0
    this.scheduledAt = prompt && Math.floor(prompt.scheduledAt)
    const { promptLogprobs: count } = params
    if (count === undefined) observer.began?.({ cachedTokens, createdCacheTokens })
    else {
      const promptLogprobs = promptLikelihoods(promptTokenIds, count, { tokenizer, prose, seed: promptTokenIds.length })
      observer.began?.({ cachedTokens, createdCacheTokens, promptLogprobs })
    }
  }

  told(output: SequenceOutput, at: Us): void {
    if (this.left) return
    if (output.tokenIds.length > 0) {
      this.firstTokenAt ??= at
      this.lastTokenAt = at
    }
    this.parts.observer.output(output, at)
  }

  ended(at: Us): void {
    this.unfinished--
    if (this.unfinished > 0 || this.left) return
    const { arrivedAt, observer } = this.parts
    const { scheduledAt = at, firstTokenAt = at, lastTokenAt = at } = this
    observer.ended({ arrivedAt, scheduledAt, firstTokenAt, lastTokenAt }, at)
  }
}
