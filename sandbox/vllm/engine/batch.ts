import type { Us } from '../../world/time.ts'
import type { StepLoad } from './types.ts'

/** One scheduled step: which slots compute how many tokens, and what that sums to. Pooled by the engine. */
export class Batch implements StepLoad {
  count = 0
  readonly slots: Int32Array
  readonly serials: Float64Array
  /** Tokens computed for each. */
  readonly newTokens: Int32Array
  /** 1 where the step samples a token, 0 for a prefill chunk that is not the last. */
  readonly samples: Uint8Array
  tokens = 0
  sequences = 0
  sampled = 0
  kvTokens = 0
  prefillPairs = 0
  /** When it ends: µs, and picoseconds beyond. */
  endUs = 0
  endPs = 0

  /** How many requests the table had let go of when this was scheduled: if no more since, every slot is still whose it was. */
  departures = 0

  constructor(capacity: number) {
    this.slots = new Int32Array(capacity)
    this.serials = new Float64Array(capacity)
    this.newTokens = new Int32Array(capacity)
    this.samples = new Uint8Array(capacity)
  }

  /** When the outside sees that it has ended: the first whole microsecond not before. */
  get endsAt(): Us {
    return this.endPs > 0 ? this.endUs + 1 : this.endUs
  }

  reset(departures: number): void {
    this.count = this.tokens = this.sequences = this.sampled = this.kvTokens = this.prefillPairs = 0
    this.departures = departures
  }

  /** Adds a chunk of `newTokens`. The caller adds what it sums to with `sum`, for many chunks at once. */
  add(slot: number, serial: number, newTokens: number, samples: boolean): void {
    const i = this.count++
    this.slots[i] = slot
    this.serials[i] = serial
    this.newTokens[i] = newTokens
    this.samples[i] = samples ? 1 : 0
  }

  /** Adds chunks' sums; `pairs` as `prefillPairsOf` counts them. */
  sum(sequences: number, tokens: number, context: number, sampled: number, pairs: number): void {
    this.sequences += sequences
    this.tokens += tokens
    this.kvTokens += context
    this.sampled += sampled
    this.prefillPairs += pairs
  }

  /** Takes a slot out again (priority preemption); its tokens, or 0 when it was not in. */
  drop(slot: number, context: number): number {
    const i = this.slots.subarray(0, this.count).indexOf(slot)
    if (i < 0) return 0
    const tokens = this.newTokens[i]!
    this.sum(-1, -tokens, -context, -this.samples[i]!, -prefillPairsOf(tokens, context))
    for (const column of [this.slots, this.serials, this.newTokens, this.samples])
      column.copyWithin(i, i + 1, this.count)
    this.count--
    return tokens
  }

  /** Tokens this step computes for a request. */
  tokensOf(slot: number, serial: number): number {
    const i = this.slots.subarray(0, this.count).indexOf(slot)
    return i >= 0 && this.serials[i] === serial ? this.newTokens[i]! : 0
  }
}

/** Query × key pairs of a chunk of `tokens` that ends at `context`; a single token is memory-bound and counts none. */
export const prefillPairsOf = (tokens: number, context: number): number =>
  tokens > 1 ? tokens * (context - tokens / 2) : 0
