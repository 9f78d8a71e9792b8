import type { Us } from '../../world/time.ts'
import type { Batch } from './batch.ts'
import type { EngineMetrics } from './metrics.ts'
import { MARK_FIRST_TOKEN, MARK_PREEMPTED, MARK_STALE, RUNNING } from './requests.ts'
import type { Scheduler } from './scheduler.ts'

const US_PER_SECOND = 1e6

/** Sums of one step that become observations at its end. */
interface Iteration {
  /** End of the step, µs with fraction. */
  readonly time: number
  /** The same as the outside sees it. */
  readonly at: Us
  promptComputed: number
  stopped: number
}

/**
 * The end of a step: each request that sampled gets its token, those that reach their end give their blocks back, and
 * the metrics are what vLLM's front end would record. `forget` is called with the id of each that ended.
 */
// follows Scheduler.update_from_output, IterationStats.update_from_output and PrometheusStatLogger.record
export function recordOutputs(
  scheduler: Scheduler,
  batch: Batch,
  metrics: EngineMetrics,
  forget: (id: string) => void,
): void {
  const { table } = scheduler
  const { serial, marks, numTokens, placeholders, endTokens, lastTokenAt } = table
  const { slots, serials, samples, count } = batch
  const iteration: Iteration = {
    time: batch.endUs + batch.endPs / 1e6,
    at: batch.endsAt,
    promptComputed: 0,
    stopped: 0,
  }
  const { time } = iteration
  const someLeft = batch.departures !== table.departures
  let [generated, repeats, repeated] = [0, 0, -1]
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!
    if (someLeft && serial[slot] !== serials[i]) continue
    const marked = marks[slot]!
    if ((marked & MARK_STALE) !== 0) drainStale(scheduler, slot, batch.newTokens[i]!)
    if (samples[i] === 0) continue
    const tokens = numTokens[slot]! + 1
    numTokens[slot] = tokens
    generated++
    const pending = placeholders[slot]!
    if (pending > 0 && (marked & MARK_STALE) === 0) placeholders[slot] = pending - 1
    if ((marked & MARK_FIRST_TOKEN) !== 0) firstToken(scheduler, slot, metrics, iteration)
    else {
      const since = lastTokenAt[slot]!
      if (since === repeated) repeats++
      else {
        if (repeats > 0) metrics.interTokenLatency.observe((time - repeated) / US_PER_SECOND, repeats)
        repeated = since
        repeats = 1
      }
    }
    lastTokenAt[slot] = time
    if ((marked & MARK_PREEMPTED) !== 0) reportPreemptions(scheduler, slot, metrics)
    if (tokens >= endTokens[slot]!) stop(scheduler, slot, metrics, iteration, forget)
  }
  if (repeats > 0) metrics.interTokenLatency.observe((time - repeated) / US_PER_SECOND, repeats)
  if (iteration.stopped > 0) dropStopped(scheduler)
  if (generated > 0) {
    metrics.generationTokens += generated
    metrics.iterationTokens.observe(iteration.promptComputed + generated)
  }
  setGauges(scheduler, metrics)
}

/** Gauges are those of the last step that ended, as in vLLM: they stand still while the engine does. */
export function setGauges(scheduler: Scheduler, metrics: EngineMetrics): void {
  metrics.running = scheduler.running.length
  metrics.waiting = scheduler.waiting.length
  metrics.kvCacheUsage = scheduler.kv.usage
  metrics.prefixCacheQueries = scheduler.prefixQueries
  metrics.prefixCacheHits = scheduler.prefixHits
}

/** Output of a step from before a preemption is still delivered, but no longer moves what was reset. */
function drainStale(scheduler: Scheduler, slot: number, tokens: number): void {
  const { stale, marks } = scheduler.table
  stale[slot] = stale[slot]! - tokens
  if (stale[slot] === 0) marks[slot] = marks[slot]! & ~MARK_STALE
}

function firstToken(scheduler: Scheduler, slot: number, metrics: EngineMetrics, iteration: Iteration): void {
  const { table } = scheduler
  const record = table.records[slot]!
  const computed = table.promptTokens[slot]! - table.cachedPromptTokens[slot]!
  metrics.promptTokens += table.promptTokens[slot]!
  metrics.promptTokensComputed += computed
  metrics.promptTokensCached += table.cachedPromptTokens[slot]!
  iteration.promptComputed += computed
  metrics.timeToFirstToken.observe((iteration.time - record.arrivedAt) / US_PER_SECOND)
  table.firstTokenAt[slot] = iteration.time
  table.marks[slot] = table.marks[slot]! & ~MARK_FIRST_TOKEN
  record.observer.firstToken?.(iteration.at)
}

/** vLLM counts a preemption when the request's next output carries the event out. */
function reportPreemptions(scheduler: Scheduler, slot: number, metrics: EngineMetrics): void {
  const { unreported, marks } = scheduler.table
  metrics.preemptions += unreported[slot]!
  unreported[slot] = 0
  marks[slot] = marks[slot]! & ~MARK_PREEMPTED
}

function stop(
  scheduler: Scheduler,
  slot: number,
  metrics: EngineMetrics,
  iteration: Iteration,
  forget: (id: string) => void,
): void {
  const { table, kv } = scheduler
  const record = table.records[slot]!
  const [prompt, outputTokens] = [table.promptTokens[slot]!, table.outputTokens(slot)]
  const [scheduled, first] = [table.scheduledAt[slot]!, table.firstTokenAt[slot]!]
  const decode = (iteration.time - first) / US_PER_SECOND
  metrics.success[record.reason]++
  metrics.e2e.observe((iteration.time - record.arrivedAt) / US_PER_SECOND)
  metrics.queueTime.observe((scheduled - table.queuedAt[slot]!) / US_PER_SECOND)
  metrics.prefillTime.observe((first - scheduled) / US_PER_SECOND)
  metrics.inferenceTime.observe((iteration.time - scheduled) / US_PER_SECOND)
  metrics.decodeTime.observe(decode)
  metrics.timePerOutputToken.observe(outputTokens > 1 ? decode / (outputTokens - 1) : 0)
  metrics.requestPreemptions.observe(table.preemptions[slot]!)
  metrics.prefillKvComputed.observe(prompt - table.cachedPromptTokens[slot]!)
  metrics.requestPromptTokens.observe(prompt)
  metrics.requestGenerationTokens.observe(outputTokens)
  metrics.requestMaxGenerationTokens.observe(outputTokens)
  metrics.requestMaxTokens.observe(record.maxTokens)
  metrics.paramsN.observe(1)
  if (table.status[slot] === RUNNING) {
    kv.cacheUpTo(slot, table.computed[slot]! - table.placeholders[slot]!)
    iteration.stopped++
  } else scheduler.waiting.removeAll(new Set([slot]))
  scheduler.release(slot)
  forget(record.request.id)
  record.observer.finished?.({ at: iteration.at, outputTokens, reason: record.reason })
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
