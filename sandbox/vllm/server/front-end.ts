import type { InferenceObserver, InferenceRequest } from '../../nodes/program.ts'
import type { Clock } from '../../world/clock.ts'
import { LinkedList } from '../../world/linked-list.ts'
import { ms, type Us } from '../../world/time.ts'
import { EngineHost } from '../engine/engine-host.ts'
import { bucketsOf } from '../engine/metric-quantities.ts'
import { rooflineStepModel } from '../engine/step-time.ts'
import type { EngineConfig } from '../engine/types.ts'
import { kvElementBytes } from '../memory/kv-cache-plan.ts'
import { Answer, type AnswerOwner } from './answer.ts'
import { hasLora } from './flag-values.ts'
import { familiesOfServer } from './metric-names.ts'
import type { RunnableServer } from './resolve.ts'

/** Reading, checking and rendering a request before the engine sees it; also how fast an error comes back. */
const REQUEST_US: Us = ms(2)

/** The engine settings of a resolved server. */
function engineConfigOf(server: RunnableServer): EngineConfig {
  const { settings, memory } = server
  return {
    histogramBuckets: bucketsOf(familiesOfServer(server).families),
    numGpuBlocks: memory.numGpuBlocks,
    blockSize: memory.blockSize,
    maxModelLen: memory.limits.maxModelLen,
    maxNumSeqs: memory.limits.maxNumSeqs,
    maxNumBatchedTokens: memory.limits.maxNumBatchedTokens,
    enablePrefixCaching: settings.enablePrefixCaching.value,
    enableChunkedPrefill: settings.enableChunkedPrefill.value,
    longPrefillTokenThreshold: settings.longPrefillTokenThreshold.value,
    schedulingPolicy: settings.schedulingPolicy.value,
    asyncScheduling: settings.asyncScheduling.value,
    enableLora: hasLora(server),
  }
}

/** Requests that reach the engines some other way than by `submit`. */
export interface OtherRequests {
  readonly openCount: number
  /** The engine has died. */
  crashed(): void
  /** Their connections are cut. */
  cut(): void
}

/** Requests between clients and engines: admission, balance over data-parallel engines, and how they end. */
export class FrontEnd implements AnswerOwner {
  readonly engines: readonly EngineHost[]
  /** Told when the last open answer has ended. */
  onIdle: (() => void) | undefined
  private readonly clock: Clock
  private readonly server: RunnableServer
  private readonly open = new LinkedList<Answer>()
  private sequence = 0
  private others: OtherRequests | undefined
  /** Requests that come now end at once with reason `abort`, as an engine that drains answers them. */
  private draining = false
  private dead = false

  constructor(clock: Clock, server: RunnableServer) {
    const { gpu, model, settings } = server
    this.clock = clock
    this.server = server
    const steps = rooflineStepModel({
      gpu,
      model,
      tensorParallel: settings.tensorParallelSize.value,
      kvElementBytes: kvElementBytes(settings),
    })
    const config = engineConfigOf(server)
    this.engines = Array.from({ length: settings.dataParallelSize.value }, () => new EngineHost(clock, config, steps))
  }

  get openCount(): number {
    return this.open.size + (this.others?.openCount ?? 0)
  }

  get isDraining(): boolean {
    return this.draining
  }

  /** Counts these requests with its own, and tells them how the server ends. They tell by `told` when one of them has ended. */
  attach(others: OtherRequests): void {
    this.others = others
  }

  submit(request: InferenceRequest, observer: InferenceObserver): () => void {
    const refused = this.refusalOf(request)
    if (refused) return this.later(request, () => observer.failed({ at: this.clock.now, kind: 'http', ...refused }))
    if (this.draining)
      return this.later(request, () => observer.finished({ at: this.clock.now, outputTokens: 0, reason: 'abort' }))
    const answer = new Answer(`${request.id}#${this.sequence++}`, request, observer, this)
    answer.timer = this.clock.after(REQUEST_US, () => answer.begin(this.leastLoaded(), this.clock.now))
    this.open.add(answer)
    return () => this.hangUp(answer)
  }

  /** Ends every answer in good form with reason `abort`; later requests end the same way. */
  abortAll(): void {
    this.draining = true
    const early = this.open.toArray()
    for (const engine of this.engines) engine.abortAll()
    // those the engine had not seen yet
    for (const answer of early) {
      if (!this.take(answer)) continue
      answer.drop()
      this.told()
      answer.observer.finished({ at: this.clock.now, outputTokens: 0, reason: 'abort' })
    }
  }

  take(answer: Answer): boolean {
    if (!answer.open) return false
    answer.open = false
    this.open.remove(answer)
    return true
  }

  told(): void {
    if (this.openCount === 0) this.onIdle?.()
  }

  drain(): void {
    this.draining = true
  }

  /** The engine processes end; open answers just stop, their connections stay. */
  stopEngines(): void {
    for (const engine of this.engines) engine.close()
  }

  /** The engine crashed: every answer under way ends with an error inside its stream. */
  crash(): void {
    this.stopEngines()
    this.dead = true
    const message = 'EngineCore encountered an issue. See stack trace (above) for the root cause.'
    this.others?.crashed()
    this.endAll((observer) => observer.failed({ at: this.clock.now, kind: 'http', status: 500, message }))
  }

  /** Every connection is cut. */
  reset(): void {
    this.stopEngines()
    this.others?.cut()
    this.endAll((observer) =>
      observer.failed({ at: this.clock.now, kind: 'reset', message: 'connection reset by peer' }),
    )
  }

  /** The engine with the fewest requests, waiting ones counted four times. */
  // follows DPLBAsyncMPClient.get_core_engine_for_request in vllm/v1/engine/core_client.py
  leastLoaded(): EngineHost {
    let best = this.engines[0]!
    if (this.engines.length === 1) return best
    let least = Number.POSITIVE_INFINITY
    for (const engine of this.engines) {
      const { running, waiting, inbox } = engine.stats()
      const score = (waiting + inbox) * 4 + running
      if (score < least) {
        least = score
        best = engine
      }
    }
    return best
  }

  // follows vllm/entrypoints/openai/models/serving.py and vllm/renderers/params.py
  private refusalOf(request: InferenceRequest): { status: number; message: string } | undefined {
    const { settings, memory } = this.server
    const names = settings.servedModelNames.value
    const { maxModelLen } = memory.limits
    if (this.dead) return { status: 500, message: 'EngineCore encountered an issue.' }
    if (!names.includes(request.model))
      return {
        status: 404,
        message: `The model \`${request.model}\` does not exist. Valid aliases: ${names.join(', ')}.`,
      }
    if (request.promptTokens < maxModelLen) return undefined
    const tokens = Math.min(request.promptTokens, maxModelLen + 1)
    const message = `This model's maximum context length is ${maxModelLen} tokens. However, your prompt contains at least ${tokens} input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=${tokens})`
    return { status: 400, message }
  }

  /** An answer that needs no engine. */
  private later(request: InferenceRequest, answer: () => void): () => void {
    const waiting = new Answer(request.id, request, SILENT, this)
    waiting.timer = this.clock.after(REQUEST_US, () => {
      this.take(waiting)
      this.told()
      answer()
    })
    this.open.add(waiting)
    return () => this.hangUp(waiting)
  }

  private hangUp(answer: Answer): void {
    if (!answer.open) return
    // the engine may have ended it by now
    answer.drop()
    if (this.take(answer)) this.told()
  }

  private endAll(tell: (observer: InferenceObserver) => void): void {
    const ending = this.open.toArray()
    for (const answer of ending) this.take(answer)
    for (const answer of ending) {
      answer.drop()
      tell(answer.observer)
    }
    this.told()
  }
}

const SILENT: InferenceObserver = { firstToken() {}, finished() {}, failed() {} }
