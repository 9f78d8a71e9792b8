import type { Us } from '../../world/time.ts'
import type { Batch } from './batch.ts'
import { type Launched, Leap } from './leap.ts'
import { abortingOf, countAborted, forgetLoras } from './metric-finished.ts'
import { EngineMetrics } from './metrics.ts'
import { OutputRecorder } from './outputs.ts'
import { Pipeline } from './pipeline.ts'
import { recordOf } from './record-of.ts'
import type { RequestRecord } from './requests.ts'
import { type PauseState, Scheduler } from './scheduler.ts'
import {
  type EngineConfig,
  type EngineDriver,
  type EngineObserver,
  type EngineRequest,
  type EngineStats,
  type ResolvedEngineConfig,
  resolveConfig,
  type StepModel,
} from './types.ts'

export type { EngineStats } from './types.ts'

const PS_PER_US = 1e6
/** In the place of a slot. */
const IN_INBOX = -1
/** Of a request whose client has gone. */
const SILENT: EngineObserver = {}

/**
 * A simulated vLLM V1 engine core. It has no clock; its owner calls `advanceTo`. Two drivers of one scheduler: `exact`
 * takes step by step, `leap` jumps over runs of like decode steps. What anyone sees of them is the same, to the last bit.
 *
 * A step's end is kept to the picosecond and shown to the outside at the first whole microsecond not before it, so order
 * is never lost. Requests and aborts reach the scheduler where vLLM's loop reads its queues: when a step ends, or at once
 * when none is under way. With asynchronous scheduling two steps are in flight: a request that arrives during step n is
 * in step n + 2 at the earliest, and what ends by an end-of-sequence token is computed for one step too many.
 */
// follows EngineCore.step and step_with_batch_queue in vllm/v1/engine/core.py
export class Engine {
  readonly config: ResolvedEngineConfig
  readonly metrics: EngineMetrics
  readonly scheduler: Scheduler
  private readonly outputs: OutputRecorder
  private slowdownFactor = 1
  private readonly stepModel: StepModel
  /** Of every request that has not ended, by its id; `IN_INBOX` until the loop has read it. */
  private readonly slotOf = new Map<string, number>()
  /** Requests and aborts the loop has not read yet, in order. */
  private inbox: RequestRecord[] = []
  private readonly aborts = new Set<string>()
  private readonly steps: Pipeline
  private nextSerial = 1
  private readonly launched: Launched = { steps: 0, us: 0 }
  /** None: the exact driver. */
  private readonly leap: Leap | undefined
  /** Tokens computed by the step scheduled last. */
  lastStepTokens = 0
  private hungSince: Us | undefined
  /** Outcomes are being delivered: an observer may submit or abort, which then waits for the loop to come round. */
  private delivering = false

  constructor(config: EngineConfig, stepModel: StepModel, driver: EngineDriver = 'leap') {
    this.config = resolveConfig(config)
    this.stepModel = stepModel
    this.steps = new Pipeline(this.config.asyncScheduling ? 2 : 1, this.config.maxNumSeqs)
    this.scheduler = new Scheduler(this.config, this.steps)
    this.metrics = new EngineMetrics(this.config.maxModelLen, this.config.histogramBuckets, this.config.enableLora)
    this.leap = driver === 'leap' ? new Leap(this.scheduler, stepModel, this.config) : undefined
    this.outputs = new OutputRecorder(this.scheduler, this.metrics, this.forget)
  }

  /**
   * Hands a request to the engine at `now`. Throws a RangeError for what vLLM's front end would have refused: a prompt
   * that is empty or fills the context, no output, an id in use.
   */
  submit(request: EngineRequest, now: Us, observer: EngineObserver = {}): void {
    this.advanceTo(now)
    if (this.slotOf.has(request.id)) throw new RangeError(`request ${request.id}: the id is in use`)
    const record = recordOf(request, observer, this.config, { serial: this.nextSerial, now })
    this.nextSerial++
    this.slotOf.set(request.id, IN_INBOX)
    this.inbox.push(record)
    this.leap?.drop()
    if (this.steps.count === 0) this.loop(now, 0)
  }

  /** The client has gone. Its observer hears nothing more; the blocks are free when the step under way ends. */
  abort(id: string, now: Us): void {
    this.advanceTo(now)
    const slot = this.slotOf.get(id)
    if (slot === undefined) return
    if (slot === IN_INBOX) {
      this.slotOf.delete(id)
      this.inbox = this.inbox.filter(({ request }) => request.id !== id)
      return
    }
    this.scheduler.table.records[slot]!.observer = SILENT
    this.aborts.add(id)
    this.leap?.drop()
    if (this.steps.count === 0) this.loop(now, 0)
  }

  /** The server ends every request itself, in good form: observers hear `finished` with reason `abort`. */
  abortAll(now: Us): void {
    this.advanceTo(now)
    const { table } = this.scheduler
    const ending = [...this.slotOf]
      .filter(([id, slot]) => slot !== IN_INBOX && !this.aborts.has(id))
      .map(([, slot]) => abortingOf(table.records[slot]!, slot, table.outputTokens(slot)))
      .concat(this.inbox.map((record) => abortingOf(record, IN_INBOX, 0)))
    countAborted(this.metrics, table, ending, now)
    for (const { record } of ending) this.abort(record.request.id, now)
    for (const { observer, outputTokens } of ending) observer.finished?.({ at: now, outputTokens, reason: 'abort' })
  }

  /** Runs every step that ends at or before `now`. */
  advanceTo(now: Us): void {
    if (this.hungSince !== undefined || this.delivering) return
    for (;;) {
      const batch = this.steps.oldest
      if (batch === undefined || batch.endsAt > now) return
      if (this.leapTo(now)) continue
      this.steps.end()
      this.applyAborts()
      this.delivering = true
      this.outputs.record(batch)
      this.delivering = false
      this.loop(batch.endUs, batch.endPs)
      this.planLeap()
    }
  }

  /** When to call `advanceTo` next, so that observers hear everything in time; undefined when idle or hung. */
  nextEventAt(): Us | undefined {
    const batch = this.steps.oldest
    if (batch === undefined || this.hungSince !== undefined) return undefined
    return this.leap && this.leap.left > 0 ? this.leap.endsAt : batch.endsAt
  }

  /** The engine stops stepping, as when a collective never returns. Requests pile up; nothing is answered. */
  hang(now: Us): void {
    this.advanceTo(now)
    this.hungSince ??= now
    this.leap?.drop()
  }

  /** Ends a hang: steps under way end later by as long as it lasted. */
  resume(now: Us): void {
    if (this.hungSince === undefined) return
    for (let i = 0; i < this.steps.count; i++) this.steps.at(i).endUs += now - this.hungSince
    if (this.steps.count > 0) this.launched.us += now - this.hungSince
    this.hungSince = undefined
    if (this.steps.count === 0) this.loop(now, 0)
  }

  /** vLLM's pause: `new` admits nothing, `all` schedules nothing. `none` resumes. */
  pause(state: PauseState, now: Us): void {
    this.advanceTo(now)
    this.scheduler.pauseState = state
    this.leap?.drop()
    if (this.steps.count === 0) this.loop(now, 0)
  }

  /** Steps launched from `now` on take this many times what the model says: a throttled GPU. */
  slowDown(factor: number, now: Us): void {
    this.advanceTo(now)
    this.slowdownFactor = factor
    this.leap?.drop()
  }

  /** Takes up to this share of all KV blocks for itself, as far as they are free; 0 gives them back. */
  withholdKv(share: number, now: Us): void {
    this.advanceTo(now)
    this.leap?.drop()
    this.scheduler.kv.pool.withhold(Math.round(share * (this.config.numGpuBlocks - 1)))
    if (this.steps.count === 0) this.loop(now, 0)
  }

  stats(): EngineStats {
    const { scheduler, metrics } = this
    return {
      running: scheduler.running.length,
      waiting: scheduler.waiting.length,
      inbox: this.inbox.length,
      kvCacheUsage: scheduler.kv.usage,
      preemptions: scheduler.preemptions,
      steps: this.launched.steps,
      generatedTokens: metrics.generationTokens,
      computedTokens: metrics.promptTokensComputed + metrics.generationTokens,
      hung: this.hungSince !== undefined,
      launchedUs: this.launched.us,
      lastEndAt: this.steps.newest?.endsAt,
    }
  }

  /** Requests not finished, aborted or refused yet. */
  get unfinished(): number {
    return this.slotOf.size
  }

  /** When a request's last token came; 0 before its first, and once it has ended. */
  lastTokenAt(id: string): Us {
    const slot = this.slotOf.get(id)
    return slot === undefined || slot === IN_INBOX ? 0 : this.scheduler.table.lastTokenAt[slot]!
  }

  private readonly forget = (id: string): void => {
    this.slotOf.delete(id)
  }

  /** One turn of the engine's loop at time (us, ps): read the queues, then schedule until the pipeline is full. */
  private loop(us: Us, ps: number): void {
    if (this.hungSince !== undefined || this.delivering) return
    this.applyAborts()
    this.drainInbox(us + ps / PS_PER_US)
    while (!this.steps.isFull) {
      if (this.schedule(us, ps)) continue
      // All blocks were taken from the only request that ran: vLLM's loop comes round and admits it again.
      const alone = this.scheduler.preempted && this.steps.count === 0 && this.scheduler.running.length === 0
      if (!alone || !this.schedule(us, ps)) return
    }
  }

  /** Launches a step where there is something to compute. */
  private schedule(us: Us, ps: number): boolean {
    const batch = this.steps.next
    if (!this.scheduler.schedule(batch, us + ps / PS_PER_US)) return false
    this.launch(batch, us, ps)
    return true
  }

  /** Takes what is planned of the steps that end by `now`, and plans anew when that was all. False: nothing taken. */
  private leapTo(now: Us): boolean {
    const { leap } = this
    if (leap === undefined || leap.left === 0) return false
    leap.take(now, this.steps, this.metrics, this.launched)
    if (leap.left === 0) this.planLeap()
    return true
  }

  /** Only right after a step has ended and others were launched: what came since waits for the next end of one. */
  private planLeap(): void {
    const idle = this.inbox.length === 0 && this.aborts.size === 0 && this.steps.isFull
    if (idle && this.hungSince === undefined) this.leap?.plan(this.steps, this.slowdownFactor)
  }

  /** The step begins when the one before it ends, or now. */
  private launch(batch: Batch, us: Us, ps: number): void {
    const before = this.steps.newest
    const model = this.stepModel.stepTimePs(batch)
    const stepTimePs = this.slowdownFactor === 1 ? model : Math.round(model * this.slowdownFactor)
    const total = (before ? before.endPs : ps) + stepTimePs
    const carry = Math.floor(total / PS_PER_US)
    batch.endUs = (before ? before.endUs : us) + carry
    batch.endPs = total - carry * PS_PER_US
    this.steps.launch()
    this.lastStepTokens = batch.tokens
    this.launched.steps++
    this.launched.us += stepTimePs / PS_PER_US
  }

  private drainInbox(now: number): void {
    const { inbox, scheduler } = this
    if (inbox.length === 0) return
    for (const record of inbox) {
      const slot = scheduler.table.add(record)
      scheduler.table.queuedAt[slot] = now
      scheduler.waiting.add(slot)
      this.slotOf.set(record.request.id, slot)
    }
    inbox.length = 0
  }

  private applyAborts(): void {
    if (this.aborts.size === 0) return
    const { table } = this.scheduler
    const slots = new Set<number>()
    for (const id of this.aborts) {
      const slot = this.slotOf.get(id)
      if (slot !== undefined) slots.add(slot)
      this.slotOf.delete(id)
    }
    if (this.metrics.lora) forgetLoras(this.metrics.lora, table, slots)
    this.aborts.clear()
    this.scheduler.finishAll(slots)
  }
}
