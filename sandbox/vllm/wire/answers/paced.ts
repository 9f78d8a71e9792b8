import type { Us } from '../../../world/time.ts'
import type { GenerationObserver, SequenceOutput } from '../generation.ts'
import type { StreamedAnswer } from '../http.ts'

/**
 * An observer that is told at its client's pace: while that does not read, outputs of a sequence become one, as in vLLM's queue between engine
 * and API server.
 */
// follows RequestOutputCollector in vllm/v1/engine/output_processor.py
export function paced(observer: GenerationObserver, out: Pick<StreamedAnswer, 'congested'>): GenerationObserver {
  return out.congested ? new Paced(observer, out as Pick<Required<StreamedAnswer>, 'congested'>) : observer
}

class Paced implements GenerationObserver {
  private readonly observer: GenerationObserver
  private readonly out: Pick<Required<StreamedAnswer>, 'congested'>
  private readonly held = new Map<number, { output: SequenceOutput; at: Us }>()
  private last: (() => void) | undefined
  private waits = false

  constructor(observer: GenerationObserver, out: Pick<Required<StreamedAnswer>, 'congested'>) {
    this.observer = observer
    this.out = out
  }

  began(about: Parameters<NonNullable<GenerationObserver['began']>>[0]): void {
    this.observer.began?.(about)
  }

  output(output: SequenceOutput, at: Us): void {
    this.waits ||= this.out.congested(this.goOn)
    if (!this.waits) {
      this.observer.output(output, at)
      return
    }
    const before = this.held.get(output.index)
    this.held.set(output.index, { output: before ? joined(before.output, output) : output, at })
  }

  ended(...told: Parameters<GenerationObserver['ended']>): void {
    this.finally(() => this.observer.ended(...told))
  }

  failed(...told: Parameters<GenerationObserver['failed']>): void {
    this.finally(() => this.observer.failed(...told))
  }

  private finally(tell: () => void): void {
    if (this.waits) this.last = tell
    else tell()
  }

  private readonly goOn = (): void => {
    this.waits = false
    const held = [...this.held.values()]
    this.held.clear()
    for (const { output, at } of held) this.observer.output(output, at)
    this.last?.()
  }
}

function joined(a: SequenceOutput, b: SequenceOutput): SequenceOutput {
  const logprobs = a.logprobs || b.logprobs ? [...(a.logprobs ?? []), ...(b.logprobs ?? [])] : undefined
  return {
    index: a.index,
    text: a.text + b.text,
    tokenIds: [...a.tokenIds, ...b.tokenIds],
    ...(logprobs ? { logprobs } : {}),
    ...(b.finish ? { finish: b.finish } : {}),
  }
}
