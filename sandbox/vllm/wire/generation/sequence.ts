import type { Us } from '../../../world/time.ts'
import type { EngineHost } from '../../engine/engine-host.ts'
import type { EngineObserver, EngineRequest, FinishReason, PromptResult } from '../../engine/types.ts'
import type { SequenceOutput, TokenLogprobs } from '../generation.ts'
import type { Detokenizer } from './detokenizer.ts'
import type { TokenPlan } from './plan.ts'

/** Who waits for the sequences of a request. */
export interface SequenceOwner {
  began(prompt: PromptResult | undefined): void
  told(output: SequenceOutput, at: Us): void
  /** This sequence has ended. */
  ended(at: Us): void
}

export interface SequenceParts {
  readonly index: number
  readonly plan: TokenPlan
  readonly detokenizer: Detokenizer
  /** Of a token at a place, where they are wanted. */
  readonly logprobs: ((id: number, place: number) => TokenLogprobs) | undefined
  readonly includeStop: boolean
  readonly owner: SequenceOwner
}

/** One of the `n` outputs of a request: a request of its own to the engine, whose tokens become text here. */
export class Sequence implements EngineObserver {
  private readonly parts: SequenceParts
  private readonly detokenizer: Detokenizer
  private count = 0
  private open = true
  private engine: EngineHost | undefined
  private id = ''

  constructor(parts: SequenceParts) {
    this.parts = parts
    this.detokenizer = parts.detokenizer
  }

  begin(engine: EngineHost, request: EngineRequest): void {
    this.engine = engine
    this.id = request.id
    engine.submit(request, this)
  }

  /** Nobody asks for it any more. */
  leave(): void {
    if (!this.open) return
    this.open = false
    this.engine?.abort(this.id)
  }

  firstToken(_at: Us, prompt: PromptResult): void {
    if (this.open) this.parts.owner.began(prompt)
  }

  token(at: Us): void {
    if (!this.open) return
    const { parts, detokenizer } = this
    const { plan, logprobs, owner } = parts
    const place = this.count++
    const id = plan.next()
    const isLast = this.count === plan.length
    if (!(isLast && plan.endsByToken && !parts.includeStop)) detokenizer.add(id)
    const text = detokenizer.take(isLast)
    const output: SequenceOutput = logprobs
      ? {
          index: parts.index,
          text,
          tokenIds: [id],
          logprobs: [logprobs(id, place)],
          ...(isLast && { finish: plan.finish }),
        }
      : isLast
        ? { index: parts.index, text, tokenIds: [id], finish: plan.finish }
        : { index: parts.index, text, tokenIds: [id] }
    owner.told(output, at)
    if (isLast && this.open) this.end(at)
  }

  finished({ at, reason }: { readonly at: Us; readonly reason: FinishReason }): void {
    if (!this.open || reason !== 'abort') return
    const { owner, index } = this.parts
    owner.began(undefined)
    const finish = { reason, stopReason: null }
    owner.told({ index, text: this.detokenizer.take(true), tokenIds: [], finish }, at)
    if (this.open) this.end(at)
  }

  private end(at: Us): void {
    this.open = false
    this.parts.owner.ended(at)
  }
}
