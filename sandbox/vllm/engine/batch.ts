import type { StepLoad } from './types.ts'

/** One scheduled step: which slots compute how many tokens, and what that sums to. Pooled by the engine. */
export class Batch implements StepLoad {
  count = 0
  slots = new Int32Array(64)
  serials = new Float64Array(64)
  /** Tokens computed for each. */
  newTokens = new Int32Array(64)
  /** 1 where the step samples a token, 0 for a prefill chunk that is not the last. */
  samples = new Uint8Array(64)
  tokens = 0
  sequences = 0
  sampled = 0
  kvTokens = 0
  prefillPairs = 0
  /** When it ends: µs, and picoseconds beyond. */
  endUs = 0
  endPs = 0

  reset(): void {
    this.count = this.tokens = this.sequences = this.sampled = this.kvTokens = this.prefillPairs = 0
  }

  add(slot: number, serial: number, newTokens: number): void {
    if (this.count === this.slots.length) this.grow()
    this.slots[this.count] = slot
    this.serials[this.count] = serial
    this.newTokens[this.count] = newTokens
    this.count++
  }

  /** Takes a slot out again (priority preemption); its tokens, or 0 when it was not in. */
  drop(slot: number): number {
    for (let i = 0; i < this.count; i++) {
      if (this.slots[i] !== slot) continue
      const tokens = this.newTokens[i]!
      this.slots.copyWithin(i, i + 1, this.count)
      this.serials.copyWithin(i, i + 1, this.count)
      this.newTokens.copyWithin(i, i + 1, this.count)
      this.count--
      return tokens
    }
    return 0
  }

  private grow(): void {
    const size = this.slots.length * 2
    const { slots, serials, newTokens, samples } = this
    this.slots = new Int32Array(size)
    this.slots.set(slots)
    this.serials = new Float64Array(size)
    this.serials.set(serials)
    this.newTokens = new Int32Array(size)
    this.newTokens.set(newTokens)
    this.samples = new Uint8Array(size)
    this.samples.set(samples)
  }
}
