import { type Batch, prefillPairsOf } from './batch.ts'
import { KvCache } from './kv-cache.ts'
import type { Pipeline } from './pipeline.ts'
import { createRequestQueue, type RequestQueue } from './request-queue.ts'
import { MARK_PREEMPTED, MARK_STALE, PREEMPTED, RequestTable, RUNNING } from './requests.ts'
import type { ResolvedEngineConfig } from './types.ts'

/** `all`: nothing is scheduled; `new`: what runs goes on, nothing is admitted. */
export type PauseState = 'none' | 'new' | 'all'

/**
 * vLLM V1's scheduler. There is no prefill or decode phase: each request has tokens and computed tokens, and every step
 * lets the second catch up with the first within a token budget, running requests first, then waiting ones.
 */
// follows vllm/v1/core/sched/scheduler.py and async_scheduler.py
export class Scheduler {
  readonly table: RequestTable
  readonly kv: KvCache
  readonly waiting: RequestQueue
  readonly running: number[] = []
  pauseState: PauseState = 'none'
  /** Prefix-cache lookups of admitted requests, in tokens, since the start; repeats after preemption not counted. */
  prefixQueries = 0
  prefixHits = 0
  /** Preemptions since the start. */
  preemptions = 0
  private readonly config: ResolvedEngineConfig
  private readonly priority: boolean
  /**
   * Whether the waiting requests, as long as no block comes free and none joins or leaves, stay where they are: the last
   * `schedule` tried and could not admit, or there is nothing to admit.
   */
  steady = false
  private preemptedNow = false
  private removedBefore = 0
  private restoredTokens = 0
  private readonly underWay: Pipeline

  constructor(config: ResolvedEngineConfig, underWay: Pipeline) {
    this.config = config
    this.underWay = underWay
    this.priority = config.schedulingPolicy === 'priority'
    this.table = new RequestTable(Math.min(config.maxNumSeqs * 2, 1024))
    this.kv = new KvCache(config, this.table)
    this.waiting = createRequestQueue(config.schedulingPolicy, this.table)
  }

  /** Fills `batch` with the next step. `now` in µs with fraction. False: nothing to compute. */
  schedule(batch: Batch, now: number): boolean {
    batch.reset(this.table.departures)
    this.preemptedNow = this.steady = false
    if (this.pauseState === 'all') return false
    const threshold = this.prefillThreshold()
    const budget = this.scheduleRunning(batch, this.config.maxNumBatchedTokens, threshold)
    if (!this.preemptedNow && this.pauseState === 'none') this.scheduleWaiting(batch, budget, threshold, now)
    this.steady = !this.preemptedNow && this.staysWaiting()
    return batch.count > 0
  }

  /** Whether the last `schedule` preempted: then a further one may admit again. */
  get preempted(): boolean {
    return this.preemptedNow
  }

  /** Ends a request: its blocks go back, its slot is free. The caller has taken it off `running` or `waiting`. */
  release(slot: number): void {
    this.kv.free(slot, false)
    this.table.remove(slot)
  }

  /** Ends requests wherever they are. */
  finishAll(slots: ReadonlySet<number>): void {
    const { running, waiting, table } = this
    let anyWaiting = false
    let kept = 0
    for (const slot of slots) anyWaiting ||= table.status[slot] !== RUNNING
    for (const slot of running) if (!slots.has(slot)) running[kept++] = slot
    running.length = kept
    if (anyWaiting) waiting.removeAll(slots)
    for (const slot of slots) this.release(slot)
  }

  /** Without `schedulerReserveFullIsl` fewer cached blocks may make room for a shorter first chunk. */
  private staysWaiting(): boolean {
    const { maxNumSeqs, schedulerReserveFullIsl } = this.config
    const shut = this.pauseState === 'new' || this.running.length >= maxNumSeqs
    return this.waiting.length === 0 || shut || schedulerReserveFullIsl
  }

  private prefillThreshold(): number {
    const { longPrefillTokenThreshold, longPrefillTokenThresholdAdaptive, maxNumBatchedTokens } = this.config
    const eligible = this.running.length + this.waiting.length
    if (longPrefillTokenThreshold === 0 || eligible <= 1) return 0
    const share = longPrefillTokenThresholdAdaptive ? Math.floor(maxNumBatchedTokens / eligible) : 0
    return Math.max(longPrefillTokenThreshold, share)
  }

  /** Returns what is left of the budget. The hot loop: once per running request and step. */
  private scheduleRunning(batch: Batch, tokenBudget: number, threshold: number): number {
    const { table, running, kv } = this
    const { computed, placeholders, numTokens, limitTokens, numBlocks, cachedBlocks, serial, quietTokens } = table
    const { slots, serials, newTokens, samples: sampling } = batch
    const { blockSize } = kv
    const { maxModelLen, asyncScheduling } = this.config
    let budget = tokenBudget
    let count = 0
    let added = 0
    let computedNow = 0
    let contexts = 0
    let sampled = 0
    let pairs = 0
    for (let i = 0; i < running.length && budget > 0; i++) {
      const slot = running[i]!
      const done = computed[slot]!
      const pending = placeholders[slot]!
      let tokens = 1
      let context = done + 1
      let samples = true
      if (done >= quietTokens[slot]!) {
        if (pending > 0 && done + 2 - pending >= limitTokens[slot]!) continue
        const known = numTokens[slot]!
        const behind = known + pending - done
        tokens = behind
        if (tokens > 1) {
          if (threshold > 0 && tokens > threshold) tokens = threshold
          if (tokens > budget) tokens = budget
        }
        if (tokens > maxModelLen - 1 - done) tokens = maxModelLen - 1 - done
        if (tokens <= 0) continue
        context = done + tokens
        if (context > numBlocks[slot]! * blockSize) {
          batch.count = count
          const fits = this.makeRoom(slot, context, i, batch)
          count = batch.count
          if (!fits) break
          i -= this.removedBefore
          budget += this.restoredTokens
        }
        if (context >= (cachedBlocks[slot]! + 1) * blockSize) kv.cacheUpTo(slot, Math.min(context, known))
        samples = tokens === behind
        if (tokens > 1) pairs += prefillPairsOf(tokens, context)
        if (samples) quietTokens[slot] = this.quietUpTo(slot)
      }
      computed[slot] = context
      if (samples) {
        sampled++
        if (asyncScheduling) placeholders[slot] = pending + 1
      }
      slots[count] = slot
      serials[count] = serial[slot]!
      newTokens[count] = tokens
      sampling[count] = samples ? 1 : 0
      count++
      added++
      budget -= tokens
      computedNow += tokens
      contexts += context
    }
    batch.count = count
    batch.sum(added, computedNow, contexts, sampled, pairs)
    return budget
  }

  /** Of a request that has caught up with its tokens: each step from now on computes one more. */
  private quietUpTo(slot: number): number {
    const { table, kv } = this
    const { maxModelLen, enablePrefixCaching } = this.config
    const room = table.numBlocks[slot]! * kv.blockSize
    const uncached = enablePrefixCaching ? (table.cachedBlocks[slot]! + 1) * kv.blockSize - 1 : room
    return Math.min(room, uncached, table.limitTokens[slot]! - 1, maxModelLen - 1)
  }

  /**
   * Blocks for a running request, preempting others until they suffice; false when it had to preempt itself. Requests
   * already in this step may have to go: `removedBefore` of them, which gives `restoredTokens` back to the budget.
   */
  private makeRoom(slot: number, tokens: number, index: number, batch: Batch): boolean {
    this.removedBefore = this.restoredTokens = 0
    while (!this.kv.extend(slot, tokens)) {
      const victim = this.priority ? this.lowestPriority() : this.running.length - 1
      const preempted = this.running[victim]!
      this.running.splice(victim, 1)
      if (victim < index - this.removedBefore) {
        this.removedBefore++
        this.restoredTokens += batch.drop(preempted, this.table.computed[preempted]!)
      }
      this.preempt(preempted)
      if (preempted === slot) return false
    }
    return true
  }

  private lowestPriority(): number {
    const { running, table } = this
    let worst = 0
    for (let i = 1; i < running.length; i++) {
      const [p, q] = [table.priority[running[i]!]!, table.priority[running[worst]!]!]
      const later = table.records[running[i]!]!.arrivedAt > table.records[running[worst]!]!.arrivedAt
      if (p > q || (p === q && later)) worst = i
    }
    return worst
  }

  /** Recompute preemption: all blocks go back, all tokens (prompt and generated) are to be computed again. */
  private preempt(slot: number): void {
    const { table } = this
    this.kv.free(slot, true)
    table.status[slot] = PREEMPTED
    table.computed[slot] = table.quietTokens[slot] = 0
    table.placeholders[slot] = 0
    table.stale[slot] = this.underWay.tokensOf(slot, table.serial[slot]!)
    table.preemptions[slot] = table.preemptions[slot]! + 1
    table.unreported[slot] = table.unreported[slot]! + 1
    table.mark(slot, table.marks[slot]! | (table.stale[slot]! > 0 ? MARK_STALE : 0) | MARK_PREEMPTED)
    this.waiting.prepend(slot)
    this.preemptions++
    this.preemptedNow = true
  }

  private scheduleWaiting(batch: Batch, tokenBudget: number, threshold: number, now: number): void {
    const { table, running, waiting, kv } = this
    const { maxNumSeqs, enableChunkedPrefill } = this.config
    let budget = tokenBudget
    const deferred: number[] = []
    while (budget > 0 && waiting.length > 0 && running.length < maxNumSeqs) {
      const slot = waiting.peek()
      if (table.stale[slot]! > 0) {
        deferred.push(waiting.pop())
        continue
      }
      const hit = kv.lookup(slot)
      let tokens = table.numTokens[slot]! - hit
      if (threshold > 0 && tokens > threshold) tokens = threshold
      if (!enableChunkedPrefill && tokens > budget) break
      tokens = Math.min(tokens, budget)
      // Set whether or not it is admitted: vLLM's prefill statistics are those of the last lookup before admission.
      if (table.preemptions[slot] === 0) table.cachedPromptTokens[slot] = hit
      if (!kv.admit(slot, tokens, running.length > 0)) break
      if (table.preemptions[slot] === 0 && this.config.enablePrefixCaching) {
        this.prefixQueries += table.numTokens[slot]!
        this.prefixHits += hit
      }
      waiting.pop()
      running.push(slot)
      table.status[slot] = RUNNING
      const last = hit + tokens === table.numTokens[slot]!
      table.computed[slot] = hit + tokens
      if (last && this.config.asyncScheduling) table.placeholders[slot] = 1
      if (table.scheduledAt[slot]! < 0) table.scheduledAt[slot] = now
      batch.add(slot, table.serial[slot]!, tokens, last)
      batch.sum(1, tokens, hit + tokens, last ? 1 : 0, prefillPairsOf(tokens, hit + tokens))
      budget -= tokens
    }
    for (let i = deferred.length - 1; i >= 0; i--) waiting.prepend(deferred[i]!)
  }
}
