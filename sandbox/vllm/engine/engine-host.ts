import type { MetricFamily } from '../../metrics/sample.ts'
import type { Clock, Timer } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'
import { Engine, type EngineStats } from './engine.ts'
import { type FamilyOptions, metricFamilies } from './metric-families.ts'
import type { PauseState } from './scheduler.ts'
import type { EngineConfig, EngineDriver, EngineObserver, EngineRequest, StepModel } from './types.ts'

/**
 * An engine on a clock, with one timer: the end of the step, or of the run of like steps, under way. Whatever is asked of it first sees every step that
 * has ended by now, so a scrape, a probe or an abort never meets a stale engine.
 */
export class EngineHost {
  readonly engine: Engine
  private readonly clock: Clock
  private readonly startedAt: Us
  private timer: Timer | undefined
  private timerAt: Us | undefined
  private closed = false

  constructor(clock: Clock, config: EngineConfig, stepModel: StepModel, driver: EngineDriver = 'leap') {
    this.clock = clock
    this.startedAt = clock.now
    this.engine = new Engine(config, stepModel, driver)
  }

  /** Submits now. Returns the client's hang-up. Throws as `Engine.submit` does. */
  submit(request: EngineRequest, observer: EngineObserver): () => void {
    this.engine.submit(request, this.clock.now, observer)
    this.rearm()
    return () => this.abort(request.id)
  }

  abort(id: string): void {
    if (this.closed) return
    this.engine.abort(id, this.clock.now)
    this.rearm()
  }

  /** Ends all requests in good form, as a server that shuts down does. */
  abortAll(): void {
    this.engine.abortAll(this.clock.now)
    this.rearm()
  }

  hang(): void {
    this.engine.hang(this.clock.now)
    this.rearm()
  }

  resume(): void {
    this.engine.resume(this.clock.now)
    this.rearm()
  }

  pause(state: PauseState): void {
    this.engine.pause(state, this.clock.now)
    this.rearm()
  }

  /** Steps take this many times as long from the next one on. */
  slowDown(factor: number): void {
    if (this.closed) return
    this.engine.slowDown(factor, this.clock.now)
    this.rearm()
  }

  /** Forgets cached prefixes. False, and nothing done, while any block is in use. */
  resetPrefixCache(): boolean {
    this.catchUp()
    return this.engine.scheduler.kv.pool.resetPrefixCache()
  }

  /** Keeps up to this share of all KV blocks from requests: memory that something else has taken. 0 gives them back. */
  withholdKv(share: number): void {
    if (this.closed) return
    this.engine.withholdKv(share, this.clock.now)
    this.rearm()
  }

  stats(): EngineStats {
    this.catchUp()
    return this.engine.stats()
  }

  /** When a request's last token came; 0 before its first, and once it has ended. */
  lastTokenAt(id: string): Us {
    this.catchUp()
    return this.engine.lastTokenAt(id)
  }

  /** The `vllm:` families as a scrape sees them now. */
  metrics(options: Omit<FamilyOptions, 'createdAt'>): MetricFamily[] {
    this.catchUp()
    return metricFamilies(this.engine.metrics, { ...options, createdAt: this.startedAt })
  }

  /** The process is gone: nothing happens any more, nobody is told. */
  close(): void {
    if (!this.closed) this.engine.advanceTo(this.clock.now)
    this.closed = true
    this.timer?.cancel()
    this.timer = undefined
  }

  private catchUp(): void {
    if (this.closed) return
    this.engine.advanceTo(this.clock.now)
    this.rearm()
  }

  private rearm(): void {
    const next = this.closed ? undefined : this.engine.nextEventAt()
    if (this.timer && next === this.timerAt) return
    this.timer?.cancel()
    this.timer = undefined
    this.timerAt = next
    if (next === undefined) return
    this.timer = this.clock.at(next, this.stepEnds)
  }

  private readonly stepEnds = (): void => {
    this.timer = undefined
    this.catchUp()
  }
}
