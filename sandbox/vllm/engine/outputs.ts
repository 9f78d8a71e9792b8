import type { Us } from '../../world/time.ts'
import type { Batch } from './batch.ts'
import { countFinished } from './metric-finished.ts'
import type { EngineMetrics } from './metrics.ts'
import { MARK_FIRST_TOKEN, MARK_PREEMPTED, MARK_STALE, MARK_TOKENS, type RequestTable, RUNNING } from './requests.ts'
import type { Scheduler } from './scheduler.ts'

const US_PER_SECOND = 1e6

/**
 * The end of a step: each request that sampled gets its token, those that reach their end give their blocks back, and
 * the metrics are what vLLM's front end would record. `forget` is called with the id of each that ended.
 */
// follows Scheduler.update_from_output, IterationStats.update_from_output and PrometheusStatLogger.record
export class OutputRecorder {
  private readonly scheduler: Scheduler
  private readonly metrics: EngineMetrics
  private readonly forget: (id: string) => void
  /** End of the step, µs with fraction. */
  private time = 0
  /** The same as the outside sees it. */
  private at: Us = 0
  private promptComputed = 0
  private stopped = 0

  constructor(scheduler: Scheduler, metrics: EngineMetrics, forget: (id: string) => void) {
    this.scheduler = scheduler
    this.metrics = metrics
    this.forget = forget
  }

  record(batch: Batch): void {
    const { scheduler, metrics } = this
    this.time = batch.endUs + batch.endPs / 1e6
    this.at = batch.endsAt
    this.promptComputed = this.stopped = 0
    const generated = this.recordTokens(batch)
    if (this.stopped > 0) dropStopped(scheduler)
    if (generated > 0) {
      metrics.generationTokens += generated
      metrics.iterationTokens.observe(this.promptComputed + generated)
    }
    setGauges(scheduler, metrics, this.at)
  }

  /** Returns how many tokens there were. The hot loop: once per running request and step. */
  private recordTokens(batch: Batch): number {
    const { table } = this.scheduler
    const { interTokenLatency } = this.metrics
    const { serial, marks, eventTokens, numTokens, placeholders, endTokens, lastTokenAt } = table
    const { slots, serials, samples, count } = batch
    const { time } = this
    const someLeft = batch.departures !== table.departures
    let generated = 0
    let repeats = 0
    let repeated = -1
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!
      if (someLeft && serial[slot] !== serials[i]) continue
      const tokens = numTokens[slot]! + 1
      const isPlain = tokens < eventTokens[slot]!
      const marked = isPlain ? 0 : marks[slot]!
      if ((marked & MARK_STALE) !== 0) drainStale(table, slot, batch.newTokens[i]!)
      if (samples[i] === 0) continue
      numTokens[slot] = tokens
      generated++
      const pending = placeholders[slot]!
      if (pending > 0 && (marked & MARK_STALE) === 0) placeholders[slot] = pending - 1
      if ((marked & MARK_FIRST_TOKEN) !== 0) this.firstToken(slot)
      else {
        const since = lastTokenAt[slot]!
        if (since === repeated) repeats++
        else {
          if (repeats > 0) interTokenLatency.observe((time - repeated) / US_PER_SECOND, repeats)
          repeated = since
          repeats = 1
        }
      }
      lastTokenAt[slot] = time
      if (isPlain) continue
      if ((marked & MARK_PREEMPTED) !== 0) this.reportPreemptions(slot)
      if (tokens >= endTokens[slot]!) this.stop(slot)
      else if ((marked & MARK_TOKENS) !== 0) table.records[slot]!.observer.token?.(this.at)
    }
    if (repeats > 0) interTokenLatency.observe((time - repeated) / US_PER_SECOND, repeats)
    return generated
  }

  private firstToken(slot: number): void {
    const { metrics, time } = this
    const { table } = this.scheduler
    const record = table.records[slot]!
    const computed = table.promptTokens[slot]! - table.cachedPromptTokens[slot]!
    metrics.promptTokens += table.promptTokens[slot]!
    metrics.promptTokensComputed += computed
    metrics.promptTokensCached += table.cachedPromptTokens[slot]!
    this.promptComputed += computed
    metrics.timeToFirstToken.observe((time - record.arrivedAt) / US_PER_SECOND)
    table.firstTokenAt[slot] = time
    table.mark(slot, table.marks[slot]! & ~MARK_FIRST_TOKEN)
    if (record.request.lora !== undefined) metrics.lora?.began(record.request.lora)
    const scheduledAt = table.scheduledAt[slot]!
    record.observer.firstToken?.(this.at, { scheduledAt, cachedTokens: table.cachedPromptTokens[slot]! })
  }

  /** vLLM counts a preemption when the request's next output carries the event out. */
  private reportPreemptions(slot: number): void {
    const { table } = this.scheduler
    this.metrics.preemptions += table.unreported[slot]!
    table.unreported[slot] = 0
    table.mark(slot, table.marks[slot]! & ~MARK_PREEMPTED)
  }

  private stop(slot: number): void {
    const { scheduler, metrics, time } = this
    const { table, kv } = scheduler
    const record = table.records[slot]!
    const outputTokens = table.outputTokens(slot)
    countFinished(metrics, record, {
      reason: record.reason,
      at: time,
      queuedAt: table.queuedAt[slot]!,
      scheduledAt: table.scheduledAt[slot]!,
      firstTokenAt: table.firstTokenAt[slot]!,
      preemptions: table.preemptions[slot]!,
      cachedTokens: table.cachedPromptTokens[slot]!,
      outputTokens,
    })
    if (record.request.lora !== undefined) metrics.lora?.ended(record.request.lora)
    if (table.status[slot] === RUNNING) {
      kv.cacheUpTo(slot, table.computed[slot]! - table.placeholders[slot]!)
      this.stopped++
    } else scheduler.waiting.removeAll(new Set([slot]))
    const tellsTokens = (table.marks[slot]! & MARK_TOKENS) !== 0
    scheduler.release(slot)
    this.forget(record.request.id)
    // its blocks are free before anyone answers: upstream the gauges of the step come first
    if (tellsTokens) record.observer.token?.(this.at)
    record.observer.finished?.({ at: this.at, outputTokens, reason: record.reason })
  }
}

/** Gauges are those of the last step that ended, as in vLLM: they stand still while the engine does. */
export function setGauges(scheduler: Scheduler, metrics: EngineMetrics, at: Us): void {
  metrics.running = scheduler.running.length
  metrics.waiting = scheduler.waiting.length
  metrics.kvCacheUsage = scheduler.kv.usage
  metrics.prefixCacheQueries = scheduler.prefixQueries
  metrics.prefixCacheHits = scheduler.prefixHits
  metrics.lora?.record(at)
}

/** Output of a step from before a preemption is still delivered, but no longer moves what was reset. */
function drainStale(table: RequestTable, slot: number, tokens: number): void {
  const { stale, marks } = table
  stale[slot] = stale[slot]! - tokens
  if (stale[slot] === 0) table.mark(slot, marks[slot]! & ~MARK_STALE)
}

/** Takes the slots freed above off the running list, keeping its order. */
function dropStopped(scheduler: Scheduler): void {
  const { running, table } = scheduler
  let kept = 0
  for (let i = 0; i < running.length; i++) {
    const slot = running[i]!
    if (table.status[slot] === RUNNING) running[kept++] = slot
  }
  running.length = kept
}
