import type { InferenceObserver, InferenceRequest } from '../../nodes/program.ts'
import type { Timer } from '../../world/clock.ts'
import type { Linked } from '../../world/linked-list.ts'
import type { Us } from '../../world/time.ts'
import type { EngineHost } from '../engine/engine-host.ts'
import type { EngineObserver, EngineRequest } from '../engine/types.ts'

/** Who keeps the answers under way. */
export interface AnswerOwner {
  /** Takes an answer off those under way; false where it is none any more. */
  take(answer: Answer): boolean
  /** One was taken off and its client told. */
  told(): void
}

/** An answer under way, between a client and an engine. */
export class Answer implements EngineObserver, Linked<Answer> {
  readonly id: string
  readonly request: InferenceRequest
  readonly observer: InferenceObserver
  before: Answer | undefined
  after: Answer | undefined
  open = true
  /** What it waits for before the engine sees it. */
  timer: Timer | undefined
  private readonly owner: AnswerOwner
  private engine: EngineHost | undefined

  constructor(id: string, request: InferenceRequest, observer: InferenceObserver, owner: AnswerOwner) {
    this.id = id
    this.request = request
    this.observer = observer
    this.owner = owner
  }

  /** Asks the engine. */
  begin(engine: EngineHost, now: Us): void {
    const { id, request, observer } = this
    const { promptTokens, outputTokens, prefixHashes, priority } = request
    const asked: EngineRequest = { id, promptTokens, outputTokens, prefixHashes, priority }
    this.engine = engine
    engine.submit(asked, this)
    // Starlette sends the head before it asks the generator for a first chunk
    if (request.stream && observer.headers) observer.headers(now, () => Math.max(now, engine.lastTokenAt(id)))
  }

  /** Nobody asks for it any more. */
  drop(): void {
    this.timer?.cancel()
    this.engine?.abort(this.id)
  }

  firstToken(at: Us): void {
    if (this.request.stream && this.open) this.observer.firstToken(at)
  }

  finished(result: Parameters<InferenceObserver['finished']>[0]): void {
    if (!this.owner.take(this)) return
    this.observer.finished(result)
    this.owner.told()
  }
}
