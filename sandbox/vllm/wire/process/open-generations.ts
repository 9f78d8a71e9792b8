import type { Clock } from '../../../world/clock.ts'
import type { Us } from '../../../world/time.ts'
import type { FrontEnd, OtherRequests } from '../../server/front-end.ts'
import { WireError } from '../errors.ts'
import type {
  GenerationObserver,
  GenerationRequest,
  GenerationTimes,
  Generator,
  SequenceOutput,
} from '../generation.ts'

const ENGINE_DEAD = 'EngineCore encountered an issue. See stack trace (above) for the root cause.'

/** Requests the engines work on for the wire: what the process has to know of them when it pauses, drains or dies. */
export class OpenGenerations implements Generator, OtherRequests {
  private readonly clock: Clock
  private readonly inner: Generator
  private readonly frontEnd: FrontEnd
  private readonly open = new Set<OpenGeneration>()

  constructor(clock: Clock, inner: Generator, frontEnd: FrontEnd) {
    this.clock = clock
    this.inner = inner
    this.frontEnd = frontEnd
    frontEnd.attach(this)
  }

  get openCount(): number {
    return this.open.size
  }

  generate(request: GenerationRequest, observer: GenerationObserver): () => void {
    const generation = new OpenGeneration(request, observer, this.clock.now, (ended) => this.close(ended))
    this.open.add(generation)
    if (this.frontEnd.isDraining) {
      // an engine that drains answers new requests at once
      const timer = this.clock.after(0, () => this.abort(generation))
      generation.leave = () => timer.cancel()
    } else generation.leave = this.inner.generate(request, generation)
    return () => {
      if (!this.open.has(generation)) return
      generation.leave()
      this.close(generation)
    }
  }

  /** Ends these in good form, or all. Returns how many there were. */
  abortThese(ids: readonly string[] | undefined): number {
    const wanted = ids && new Set(ids)
    const ending = [...this.open].filter(({ request }) => !wanted || wanted.has(request.id))
    for (const generation of ending) this.abort(generation)
    return ending.length
  }

  crashed(): void {
    for (const generation of [...this.open]) {
      generation.leave()
      generation.failed(new WireError(500, 'InternalServerError', ENGINE_DEAD), this.clock.now)
    }
  }

  cut(): void {
    const ending = [...this.open]
    this.open.clear()
    for (const generation of ending) generation.leave()
  }

  private abort(generation: OpenGeneration): void {
    generation.leave()
    generation.abort(this.clock.now)
  }

  private close(generation: OpenGeneration): void {
    if (this.open.delete(generation)) this.frontEnd.told()
  }
}

/** Passes on what the engine tells. */
class OpenGeneration implements GenerationObserver {
  readonly request: GenerationRequest
  leave: () => void = () => undefined
  private readonly observer: GenerationObserver
  private readonly closed: (generation: OpenGeneration) => void
  private readonly finished = new Set<number>()
  private readonly arrivedAt: Us
  private firstTokenAt: Us | undefined
  private hasBegun = false
  private isOpen = true

  constructor(
    request: GenerationRequest,
    observer: GenerationObserver,
    arrivedAt: Us,
    closed: (generation: OpenGeneration) => void,
  ) {
    this.request = request
    this.observer = observer
    this.arrivedAt = arrivedAt
    this.closed = closed
  }

  began(about: Parameters<NonNullable<GenerationObserver['began']>>[0]): void {
    this.hasBegun = true
    this.observer.began?.(about)
  }

  output(output: SequenceOutput, at: Us): void {
    if (!this.isOpen) return
    this.firstTokenAt ??= at
    if (output.finish) this.finished.add(output.index)
    this.told(at, () => this.observer.output(output, at))
  }

  ended(times: GenerationTimes, at: Us): void {
    if (!this.isOpen) return
    this.told(at, () => {
      this.observer.ended(times, at)
      this.isOpen = false
      this.closed(this)
    })
  }

  failed(error: WireError, at: Us): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.observer.failed(error, at)
    this.closed(this)
  }

  /** An answer that cannot be made fails alone: the engine goes on. */
  private told(at: Us, tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.leave()
      this.failed(new WireError(500, 'InternalServerError', String((error as Error).message)), at)
    }
  }

  /** Ends what has not finished, with reason `abort`. */
  abort(at: Us): void {
    if (!this.hasBegun) this.began({ cachedTokens: 0, createdCacheTokens: 0 })
    for (let index = 0; index < this.request.params.n; index++) {
      if (this.finished.has(index)) continue
      this.output({ index, text: '', tokenIds: [], finish: { reason: 'abort', stopReason: null } }, at)
    }
    const { arrivedAt, firstTokenAt = at } = this
    this.ended({ arrivedAt, scheduledAt: firstTokenAt, firstTokenAt, lastTokenAt: at }, at)
  }
}
